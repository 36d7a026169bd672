#include "net/subject_transform.hpp"

#include "net/subject.hpp"

#include <fmt/format.h>

#include <charconv>
#include <climits>
#include <iterator>

namespace vagus {

namespace {

constexpr std::string_view invalid = "invalid mapping destination";
constexpr std::string_view spaces = " \t\r\n\f";

std::vector<std::string_view> split_tokens(std::string_view subject) {
  std::vector<std::string_view> tokens;
  token_reader reader{subject};
  for (std::string_view token; reader.next(token);) tokens.push_back(token);
  return tokens;
}

std::string_view trimmed(std::string_view text, std::string_view of) {
  auto first = text.find_first_not_of(of);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(of) - first + 1);
}

std::optional<int64_t> parse_number(std::string_view text) {
  text = trimmed(text, " ");
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_function(std::string_view token) {
  return token.size() > 4 && token.starts_with("{{") && token.ends_with("}}");
}

/// The name and the arguments of `{{name(a, b)}}`.
struct function_call {
  std::string_view name;
  std::vector<std::string_view> args;
};

std::optional<function_call> split_call(std::string_view token) {
  auto inside = trimmed(token.substr(2, token.size() - 4), spaces);
  auto bracket = inside.find('(');
  if (bracket == std::string_view::npos || !inside.ends_with(')')) return std::nullopt;
  function_call call{trimmed(inside.substr(0, bracket), spaces), {}};
  auto args = inside.substr(bracket + 1, inside.size() - bracket - 2);
  for (;;) {
    auto comma = args.find(',');
    call.args.push_back(args.substr(0, comma));
    if (comma == std::string_view::npos) return call;
    args.remove_prefix(comma + 1);
    args.remove_prefix(std::min(args.find_first_not_of(spaces), args.size()));
  }
}

/// Capital letters of the known name may be small in the given one.
bool same_function(std::string_view given, std::string_view known) {
  if (given.size() != known.size()) return false;
  for (size_t i = 0; i < given.size(); ++i) {
    bool capital = known[i] >= 'A' && known[i] <= 'Z';
    if (given[i] != known[i] && !(capital && given[i] == (known[i] | 0x20))) return false;
  }
  return true;
}

std::string problem_in(std::string_view problem, std::string_view token) {
  return fmt::format("{}: {} in {}", invalid, problem, token);
}

/// What nats-server asks of a subject here: white space inside of a token is fine.
bool is_tokenized(const std::vector<std::string_view>& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].empty() || (tokens[i] == ">" && i + 1 < tokens.size())) return false;
  return true;
}

uint32_t fnv1a(std::string_view bytes) {
  uint32_t hash = 2166136261u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

void append_slices(std::string& out, std::string_view token, size_t size, size_t first) {
  if (first > 0) out += token.substr(0, first);
  for (size_t i = first; i < token.size(); i += size) {
    if (i > 0) out += '.';
    out += token.substr(i, size);
  }
}

void append_split(std::string& out, std::string_view token, std::string_view delimiter) {
  bool any = false;
  while (true) {
    // Without a delimiter every character is a token.
    auto end = delimiter.empty() ? (token.size() > 1 ? size_t{1} : std::string_view::npos)
                                 : token.find(delimiter);
    auto part = token.substr(0, end);
    if (!part.empty()) {
      if (any) out += '.';
      out += part;
      any = true;
    }
    if (end == std::string_view::npos) return;
    token.remove_prefix(end + delimiter.size());
  }
}

}  // namespace

struct subject_transform::function_name {
  std::string_view name;
  kind what;
  size_t least;  ///< arguments
  size_t most;
};

const subject_transform::function_name* subject_transform::find_function(std::string_view name) {
  static constexpr function_name functions[] = {
      {"Wildcard", kind::wildcard, 1, 1},
      {"Partition", kind::partition, 1, SIZE_MAX},
      {"SplitFromLeft", kind::split_from_left, 2, 2},
      {"SplitFromRight", kind::split_from_right, 2, 2},
      {"SliceFromLeft", kind::slice_from_left, 2, 2},
      {"SliceFromRight", kind::slice_from_right, 2, 2},
      {"Split", kind::split, 2, 2},
      {"Left", kind::left, 2, 2},
      {"Right", kind::right, 2, 2},
      {"Random", kind::random, 1, 1},
  };
  for (const auto& f : functions)
    if (same_function(name, f.name)) return &f;
  return nullptr;
}

std::optional<subject_transform::piece> subject_transform::parse_function(std::string_view token,
                                                                          std::string& error) {
  auto fail = [&](std::string_view problem) {
    error = problem_in(problem, token);
    return std::nullopt;
  };
  auto call = split_call(token);
  auto* known = call ? find_function(call->name) : nullptr;
  if (!known) return fail("unknown function");
  const auto& args = call->args;
  bool none = known->what == kind::wildcard && args.size() == 1 && args[0].empty();
  if (none || args.size() < known->least || (known->what == kind::random && args.size() > 1))
    return fail("not enough arguments passed to the function");
  if (args.size() > known->most) return fail("too many arguments passed to the function");

  constexpr std::string_view bad_argument = "function argument is invalid or in the wrong format";
  piece p{known->what, {}, {}, 0};
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < args.size(); ++i) {
    if (p.what == kind::split && i == 1) {
      if (args[i].find_first_of(" .") != std::string_view::npos) return fail(bad_argument);
      p.text = args[i];
      continue;
    }
    auto number = parse_number(args[i]);
    if (!number) return fail(bad_argument);
    numbers.push_back(*number);
  }
  bool count_first = p.what == kind::partition || p.what == kind::random;
  if (count_first || numbers.size() == 2) {
    p.number = count_first ? numbers.front() : numbers.back();
    bool too_small = !count_first && p.number < INT_MIN;
    if (p.number > INT_MAX || too_small) return fail(bad_argument);
    numbers.erase(count_first ? numbers.begin() : numbers.end() - 1);
  }
  p.tokens = std::move(numbers);
  return p;
}

std::optional<subject_transform::piece> subject_transform::parse_piece(std::string_view token,
                                                                       std::string& error) {
  if (token == ">") return piece{kind::rest, {}, {}, 0};
  if (token.size() > 1 && token[0] == '$')
    if (auto number = parse_number(token.substr(1)); number && token[1] != ' ')
      return piece{kind::wildcard, {}, {*number}, 0};
  if (is_function(token)) return parse_function(token, error);
  return piece{kind::literal, std::string{token}, {}, 0};
}

std::optional<subject_transform> subject_transform::make(std::string_view src,
                                                         std::string_view dest,
                                                         std::string& error) {
  if (src.empty()) src = ">";
  auto from = split_tokens(src);
  auto to = split_tokens(dest);
  std::vector<int64_t> wildcards;  // where in the source they are
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] == "*") wildcards.push_back(static_cast<int64_t>(i));
  bool open = from.back() == ">";
  bool starred = false;
  for (auto token : to) starred = starred || token == "*";
  if (!is_tokenized(from) || !is_tokenized(to) || starred || open != (to.back() == ">")) {
    error = "invalid subject";
    return std::nullopt;
  }
  subject_transform made;
  made.src_ = src;
  made.src_tokens_ = from.size();
  bool literal_source = wildcards.empty() && !open;
  for (auto token : to) {
    auto p = parse_piece(token, error);
    if (!p) return std::nullopt;
    bool plain = p->what == kind::literal || p->what == kind::rest || p->what == kind::random ||
                 p->what == kind::partition;
    if (literal_source && !plain) {
      error = problem_in("wildcard index out of range", token);
      return std::nullopt;
    }
    if (literal_source) p->tokens.clear();
    for (auto& t : p->tokens) {
      if (t > static_cast<int64_t>(wildcards.size())) {
        error = problem_in("wildcard index out of range", fmt::format("{}: [{}]", token, t));
        return std::nullopt;
      }
      // An index that names no wildcard means the first token, there too.
      t = t < 1 ? 0 : wildcards[static_cast<size_t>(t - 1)];
    }
    made.pieces_.push_back(std::move(*p));
  }
  return made;
}

void subject_transform::append(std::string& out, const piece& p,
                               const std::vector<std::string_view>& tokens,
                               std::string_view subject, uint32_t random) {
  auto token_at = [&](size_t i) {
    auto at = i < p.tokens.size() ? static_cast<size_t>(p.tokens[i]) : tokens.size();
    return at < tokens.size() ? tokens[at] : std::string_view{};
  };
  auto token = token_at(0);
  auto buckets = static_cast<uint32_t>(p.number);
  auto size = static_cast<size_t>(p.number);
  bool fits = p.number > 0 && size < token.size();
  std::string key;
  switch (p.what) {
    case kind::literal:
      out += p.text;
      return;
    case kind::rest:
      return;
    case kind::wildcard:
      out += token;
      return;
    case kind::split:
      return append_split(out, token, p.text);
    case kind::random:
      out += std::to_string(buckets == 0 ? 0 : random % buckets);
      return;
    case kind::partition:
      for (size_t i = 0; i < p.tokens.size(); ++i) key += token_at(i);
      if (p.tokens.empty()) key = subject;
      out += std::to_string(buckets == 0 ? 0 : fnv1a(key) % buckets);
      return;
    default:
      break;
  }
  if (!fits) {
    out += token;
    return;
  }
  switch (p.what) {
    case kind::split_from_left:
      fmt::format_to(std::back_inserter(out), "{}.{}", token.substr(0, size), token.substr(size));
      return;
    case kind::split_from_right:
      fmt::format_to(std::back_inserter(out), "{}.{}", token.substr(0, token.size() - size),
                     token.substr(token.size() - size));
      return;
    case kind::slice_from_left:
      return append_slices(out, token, size, 0);
    case kind::slice_from_right:
      return append_slices(out, token, size, token.size() % size);
    case kind::left:
      out += token.substr(0, size);
      return;
    default:
      out += token.substr(token.size() - size);
      return;
  }
}

std::string subject_transform::apply(std::string_view subject, uint32_t random) const {
  auto tokens = split_tokens(subject);
  std::string out;
  for (const auto& p : pieces_) {
    if (&p != &pieces_.front()) out += '.';
    if (p.what != kind::rest) {
      append(out, p, tokens, subject, random);
      continue;
    }
    for (size_t i = src_tokens_ - 1; i < tokens.size(); ++i) {
      if (i >= src_tokens_) out += '.';
      out += tokens[i];
    }
  }
  return out;
}

std::optional<std::string> subject_transform::match(std::string_view subject,
                                                    uint32_t random) const {
  if (!subject_matches(src_, subject)) return std::nullopt;
  return apply(subject, random);
}

std::string subject_transform::check(std::string_view src, std::string_view dest) {
  if (dest.empty()) return {};
  auto tokens = split_tokens(dest);
  for (size_t i = 0; i < tokens.size(); ++i) {
    auto token = tokens[i];
    if (token.empty() || (i > 0 && tokens[i - 1] == ">"))
      return fmt::format("{}: invalid transform{}{}", invalid, token.empty() ? "" : " in ", token);
    if (is_function(token)) {
      auto call = split_call(token);
      if (!call || !find_function(call->name)) return problem_in("unknown function", token);
    } else if (token.find_first_of(spaces) != std::string_view::npos) {
      return fmt::format("{}: invalid transform", invalid);
    }
  }
  std::string error;
  make(src, dest, error);
  return error;
}

}  // namespace vagus
