#include "net/protocol/parser.hpp"

#include <array>

namespace vagus {

namespace {

bool blank(char c) {
  return c == ' ' || c == '\t';
}

/// Compares without regard to case; `upper` has capital letters only.
bool starts_with(const char* at, const char* end, std::string_view upper) {
  if (static_cast<size_t>(end - at) < upper.size()) return false;
  for (size_t i = 0; i < upper.size(); ++i)
    if ((at[i] & ~0x20) != upper[i]) return false;
  return true;
}

/// Splits a control line at blanks. At most four arguments are kept, more are counted.
struct arguments {
  std::array<std::string_view, 4> at;
  size_t count = 0;
  const char* line_end = nullptr;  ///< the '\n'

  /// @pre a '\n' follows at or behind `from`.
  explicit arguments(const char* from) {
    for (;;) {
      while (blank(*from)) ++from;
      if (*from == '\n') break;
      if (*from == '\r' && from[1] == '\n') {
        ++from;
        break;
      }
      const char* start = from;
      while (static_cast<unsigned char>(*from) > ' ' || !ends_argument(from)) ++from;
      if (count < at.size()) at[count] = {start, static_cast<size_t>(from - start)};
      ++count;
    }
    line_end = from;
  }

  static bool ends_argument(const char* c) {
    return blank(*c) || *c == '\n' || (*c == '\r' && c[1] == '\n');
  }
};

operation broken(op kind) {
  operation result;
  result.kind = kind;
  return result;
}

operation wait_for(size_t bytes) {
  operation result;
  result.needed = bytes;
  return result;
}

/// The arguments as one text: from the first that is not blank up to the end of the line.
std::string_view argument_text(const char* args, const char* line_end) {
  while (blank(*args)) ++args;
  if (line_end > args && line_end[-1] == '\r') --line_end;
  return {args, static_cast<size_t>(line_end > args ? line_end - args : 0)};
}

/// True if the line's arguments are longer than the limit allows, whether the line is complete or
/// not.
bool too_long(std::string_view text, const parse_limits& limits) {
  return static_cast<int64_t>(text.size()) > limits.max_control_line;
}

/// The answer for a line that has no end yet. @param at where the operation starts
operation unfinished_line(const char* at, const char* args, const char* end,
                          const parse_limits& limits) {
  if (too_long(argument_text(args, end), limits)) return broken(op::control_line_exceeded);
  return wait_for(static_cast<size_t>(end - at) + 1);
}

/// The payload behind a complete control line: all there and well ended, or what is missing.
void finish_pub(const char* at, const char* line_end, const char* end, const parse_limits& limits,
                operation& into) {
  if (into.size > limits.max_payload) {
    into.kind = op::payload_exceeded;
    return;
  }
  into.payload = line_end + 1;
  auto have = end - into.payload;
  auto line = static_cast<size_t>(into.payload - at);
  auto size = static_cast<size_t>(into.size);
  const char* terminator = into.payload + into.size;
  if (have > into.size && *terminator != '\r') {
    into.kind = op::unknown;
  } else if (have < into.size + 2) {
    into.kind = op::incomplete;
    into.needed = line + size + (have > into.size ? 2 : 1);
  } else if (terminator[1] != '\n') {
    into.kind = op::unknown;
  } else {
    into.next = terminator + 2;
    into.kind = op::pub;
  }
}

/// Reads "subject size\r\n" and "subject reply size\r\n" with single blanks, as clients write them.
/// False, with nothing decided, if the line is anything else.
bool quick_pub(const char* at, const char* args, const char* end, const parse_limits& limits,
               operation& into) {
  const char* p = args;
  while (static_cast<unsigned char>(*p) > ' ') ++p;
  if (*p != ' ' || p == args) return false;
  into.subject = {args, static_cast<size_t>(p - args)};
  into.reply = {};
  const char* number = p + 1;
  unsigned first = static_cast<unsigned char>(*number) - '0';
  if (first > 9) {
    p = number;
    while (static_cast<unsigned char>(*p) > ' ') ++p;
    if (*p != ' ' || p == number) return false;
    into.reply = {number, static_cast<size_t>(p - number)};
    number = p + 1;
  }
  int64_t size = 0;
  p = number;
  // One digit more than a size may have shows that there are too many.
  for (unsigned digit; (digit = static_cast<unsigned char>(*p) - '0') <= 9 && p - number < 10; ++p)
    size = size * 10 + digit;
  if (p == number || p - number > 9 || *p != '\r' || p[1] != '\n' || p + 1 >= end ||
      p - args > limits.max_control_line)
    return false;
  into.args = {args, static_cast<size_t>(p - args)};
  into.header_size = -1;
  into.size = size;
  finish_pub(at, p + 1, end, limits, into);
  return true;
}

operation parse_pub(const char* at, const char* args, const char* end, bool headers,
                    const parse_limits& limits) {
  arguments split{args};
  if (split.line_end >= end) return unfinished_line(at, args, end, limits);
  auto text = argument_text(args, split.line_end);
  if (too_long(text, limits)) return broken(op::control_line_exceeded);
  size_t numbers = headers ? 2 : 1;
  if (headers && !limits.headers) return broken(op::bad_arguments);
  if (split.count != 1 + numbers && split.count != 2 + numbers) return broken(op::bad_arguments);
  operation result;
  result.args = text;
  result.subject = split.at[0];
  if (split.count == 2 + numbers) result.reply = split.at[1];
  result.size = parse_decimal(split.at[split.count - 1]);
  if (headers) result.header_size = parse_decimal(split.at[split.count - 2]);
  if (result.size < 0 || (headers && (result.header_size < 0 || result.header_size > result.size)))
    return broken(op::bad_arguments);
  finish_pub(at, split.line_end, end, limits, result);
  return result;
}

operation parse_sub(const char* at, const char* args, const char* end, const parse_limits& limits) {
  arguments split{args};
  if (split.line_end >= end) return unfinished_line(at, args, end, limits);
  auto text = argument_text(args, split.line_end);
  if (too_long(text, limits)) return broken(op::control_line_exceeded);
  if (split.count != 2 && split.count != 3) return broken(op::bad_arguments);
  operation result;
  result.args = text;
  result.kind = op::sub;
  result.subject = split.at[0];
  if (split.count == 3) result.queue = split.at[1];
  result.sid = split.at[split.count - 1];
  result.next = split.line_end + 1;
  return result;
}

operation parse_unsub(const char* at, const char* args, const char* end,
                      const parse_limits& limits) {
  arguments split{args};
  if (split.line_end >= end) return unfinished_line(at, args, end, limits);
  auto text = argument_text(args, split.line_end);
  if (too_long(text, limits)) return broken(op::control_line_exceeded);
  if (split.count != 1 && split.count != 2) return broken(op::bad_arguments);
  operation result;
  result.args = text;
  result.kind = op::unsub;
  result.sid = split.at[0];
  if (split.count == 2) result.max = parse_decimal(split.at[1]);
  if (result.max < 0) result.max = 0;
  result.next = split.line_end + 1;
  return result;
}

/// A line whose arguments are one text, or none of our business.
operation parse_line(op kind, const char* at, const char* args, const char* end,
                     const parse_limits& limits) {
  const char* line_end = args;
  while (*line_end != '\n') ++line_end;
  if (line_end >= end) return unfinished_line(at, args, end, limits);
  operation result;
  result.args = argument_text(args, line_end);
  if (too_long(result.args, limits)) return broken(op::control_line_exceeded);
  result.kind = kind;
  result.next = line_end + 1;
  return result;
}

struct keyword {
  std::string_view text;
  op kind;
  bool arguments;  ///< a blank must follow
};

constexpr std::array<keyword, 10> keywords{{{"PUB", op::pub, true},
                                            {"HPUB", op::pub, true},
                                            {"SUB", op::sub, true},
                                            {"UNSUB", op::unsub, true},
                                            {"PING", op::ping, false},
                                            {"PONG", op::pong, false},
                                            {"CONNECT", op::connect, false},
                                            {"INFO", op::info, true},
                                            {"+OK", op::ignored, false},
                                            {"-ERR", op::client_error, true}}};

/// `+` and `-` keep their bit 0x20, letters lose it.
bool same_letter(char given, char upper) {
  return given == upper || (upper >= 'A' && (given & ~0x20) == upper);
}

/// Finds the keyword at `at`. With too few bytes to tell, kind is op::incomplete.
op find_keyword(const char* at, const char* end, const keyword*& found) {
  auto have = static_cast<size_t>(end - at);
  bool possible = false;
  for (const auto& k : keywords) {
    size_t i = 0;
    while (i < k.text.size() && i < have && same_letter(at[i], k.text[i])) ++i;
    if (i == k.text.size()) {
      if (k.arguments && i < have && !blank(at[i])) return op::unknown;
      if (k.arguments && i == have) return op::incomplete;
      found = &k;
      return k.kind;
    }
    possible |= i == have;
  }
  return possible ? op::incomplete : op::unknown;
}

operation parse_other(const char* at, const char* end, const parse_limits& limits) {
  if (at == end) return wait_for(1);
  const keyword* found = nullptr;
  op kind = find_keyword(at, end, found);
  if (kind == op::unknown) return broken(op::unknown);
  if (kind == op::incomplete) return wait_for(static_cast<size_t>(end - at) + 1);
  const char* args = at + found->text.size();
  switch (kind) {
    case op::pub:
      return parse_pub(at, args + 1, end, found->text.size() == 4, limits);
    case op::sub:
      return parse_sub(at, args, end, limits);
    case op::unsub:
      return parse_unsub(at, args, end, limits);
    default:
      return parse_line(kind, at, args, end, limits);
  }
}

}  // namespace

int64_t parse_decimal(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return -1;
  int64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

void parse_operation(const char* at, const char* end, const parse_limits& limits, operation& into) {
  // PUB and HPUB first: they are what arrives by the million.
  if (end - at > 5) {
    if (starts_with(at, end, "PUB") && blank(at[3])) {
      if (!quick_pub(at, at + 4, end, limits, into))
        into = parse_pub(at, at + 4, end, false, limits);
      return;
    }
    if (starts_with(at, end, "HPUB") && blank(at[4])) {
      into = parse_pub(at, at + 5, end, true, limits);
      return;
    }
  }
  into = parse_other(at, end, limits);
}

}  // namespace vagus
