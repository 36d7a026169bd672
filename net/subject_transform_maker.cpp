#include "net/subject.hpp"
#include "net/subject_transform.hpp"

#include <charconv>
#include <limits>
#include <optional>

// Reads the destination of a transform. Which spellings are taken and which error comes first is
// nats-server's: its patterns are not anchored, so that "{{x{{wildcard(1)}}" is a wildcard too.

namespace vagus {

namespace {

constexpr std::string_view invalid_destination = "invalid mapping destination: ";

std::string about(std::string_view what, std::string_view token) {
  std::string result{invalid_destination};
  result += what;
  if (!token.empty()) (result += " in ") += token;
  return result;
}

constexpr std::string_view too_few = "not enough arguments passed to the function";
constexpr std::string_view too_many = "too many arguments passed to the function";
constexpr std::string_view bad_argument = "function argument is invalid or in the wrong format";
constexpr std::string_view out_of_range = "wildcard index out of range";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && is_blank(text[0])) text.remove_prefix(1);
}

bool has_spaces(std::string_view token) {
  for (char c : token)
    if (is_blank(c)) return true;
  return false;
}

bool is_braced(std::string_view token) {
  return token.size() > 4 && token.starts_with("{{") && token.ends_with("}}");
}

/// A capital letter of `name` stands for itself and the small one.
bool take_name(std::string_view& text, std::string_view name) {
  if (text.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    bool capital = name[i] >= 'A' && name[i] <= 'Z';
    if (text[i] != name[i] && !(capital && text[i] == name[i] + ('a' - 'A'))) return false;
  }
  text.remove_prefix(name.size());
  return true;
}

/// What stands between the parentheses of "{{ name ( ... ) }}" at the beginning of `text`: up to
/// the last ")" that "}}" follows.
std::optional<std::string_view> arguments_here(std::string_view text, std::string_view name) {
  skip_spaces(text);
  if (!take_name(text, name)) return std::nullopt;
  skip_spaces(text);
  if (!text.starts_with('(')) return std::nullopt;
  text.remove_prefix(1);
  auto line = text.substr(0, text.find('\n'));
  while (true) {
    auto close = line.rfind(')');
    if (close == line.npos) return std::nullopt;
    line = line.substr(0, close);
    auto rest = text.substr(close + 1);
    skip_spaces(rest);
    if (rest.starts_with("}}")) return line;
  }
}

std::optional<std::string_view> find_arguments(std::string_view token, std::string_view name) {
  for (auto at = token.find("{{"); at != token.npos; at = token.find("{{", at + 1))
    if (auto found = arguments_here(token.substr(at + 2), name)) return found;
  return std::nullopt;
}

/// Separated by commas; blanks after a comma do not count.
std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> result;
  for (;;) {
    auto comma = text.find(',');
    result.push_back(text.substr(0, comma));
    if (comma == text.npos) return result;
    text.remove_prefix(comma + 1);
    skip_spaces(text);
  }
}

/// Decimal, with a sign or none; blanks around it do not count.
std::optional<int64_t> read_number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  auto digits = text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  if (text[0] == '+') text = digits;
  int64_t number = 0;
  auto end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

constexpr auto int32_max = std::numeric_limits<int32_t>::max();

}  // namespace

/// The work of reading one destination. Functions return false when they have put the reason into
/// `error`.
class transform_maker {
public:
  using function = subject_transform::function;
  using part = subject_transform::part;

  subject_transform out;
  std::string error;

  bool read(std::string_view source, std::string_view destination) {
    out.source_ = source.empty() ? ">" : source;
    if (destination.empty()) {
      out.open_ = true;
      return true;
    }
    if (!is_well_formed(destination)) return false;
    bool source_open = out.source_ == ">" || out.source_.ends_with(".>");
    bool destination_open = destination == ">" || destination.ends_with(".>");
    auto literal = destination_open ? destination.substr(0, destination.size() - 1) : destination;
    if (has_wildcard(literal) || source_open != destination_open) {
      error = "invalid subject";
      return false;
    }
    find_wildcards();
    source_is_literal_ = wildcards_.empty() && !source_open;
    token_reader tokens{destination};
    for (std::string_view token; tokens.next(token);) {
      if (token == ">") break;
      out.parts_.emplace_back();
      if (!read_token(token, out.parts_.back())) return false;
    }
    out.open_ = destination_open;
    if (destination_open) out.open_token_ = token_count(out.source_) - 1;
    out.expected_ = destination.size();
    return true;
  }

private:
  bool fail(std::string_view what, std::string_view token) {
    error = about(what, token);
    return false;
  }

  /// What all tokens are checked for before anything else of any.
  bool is_well_formed(std::string_view destination) {
    bool open = false;
    token_reader tokens{destination};
    for (std::string_view token; tokens.next(token);) {
      if (token.empty() || open) return fail("invalid transform", token);
      open = token == ">";
      bool braced = is_braced(token);
      if (braced && !has_function(token)) return fail("unknown function", token);
      if (!braced && has_spaces(token)) return fail("invalid transform", {});
    }
    return true;
  }

  static bool has_function(std::string_view token) {
    for (auto& rule : functions)
      if (find_arguments(token, rule.name)) return true;
    return false;
  }

  void find_wildcards() {
    token_reader tokens{out.source_};
    size_t index = 0;
    for (std::string_view token; tokens.next(token); ++index)
      if (token == "*") wildcards_.push_back(index);
  }

  bool read_token(std::string_view token, part& result) {
    std::vector<int64_t> wildcards;
    if (!read_function(token, result, wildcards)) return false;
    if (source_is_literal_) {
      if (result.what == function::text || result.what == function::random ||
          result.what == function::partition)
        return true;
      return fail(out_of_range, token);
    }
    for (auto number : wildcards) {
      if (number > static_cast<int64_t>(wildcards_.size()))
        return fail(out_of_range, std::string{token} + ": [" + std::to_string(number) + "]");
      // There is no wildcard 0; nats-server takes the first token for it.
      result.tokens.push_back(number < 1 ? 0 : wildcards_[static_cast<size_t>(number) - 1]);
    }
    return true;
  }

  bool read_function(std::string_view token, part& result, std::vector<int64_t>& wildcards) {
    result.text = token;
    if (token.starts_with('$')) {
      auto blank = token.find(' ') != token.npos;
      auto number = blank ? std::nullopt : read_number(token.substr(1));
      if (!number) return true;  // "$JS" and the like
      result.what = function::wildcard;
      wildcards.push_back(*number);
      return true;
    }
    if (!is_braced(token)) return true;
    for (auto& [name, what, read_arguments] : functions) {
      auto found = find_arguments(token, name);
      if (!found) continue;
      result.what = what;
      auto why = read_arguments(split_arguments(*found), result, wildcards);
      return why.empty() || fail(why, token);
    }
    return true;  // well-formed destinations have no others
  }

  using arguments = std::vector<std::string_view>;

  // What is wrong with the arguments of one kind of function; empty if nothing is.

  static std::string_view one_wildcard(const arguments& given, part&,
                                       std::vector<int64_t>& wildcards) {
    if (given.size() == 1 && given[0].empty()) return too_few;
    if (given.size() > 1) return too_many;
    return take_wildcard(given[0], wildcards) ? "" : bad_argument;
  }

  static std::string_view buckets_and_wildcards(const arguments& given, part& result,
                                                std::vector<int64_t>& wildcards) {
    if (!take_count(given[0], result)) return bad_argument;
    for (size_t i = 1; i < given.size(); ++i)
      if (!take_wildcard(given[i], wildcards)) return bad_argument;
    return {};
  }

  static std::string_view wildcard_and_size(const arguments& given, part& result,
                                            std::vector<int64_t>& wildcards) {
    if (given.size() < 2) return too_few;
    if (given.size() > 2) return too_many;
    if (!take_wildcard(given[0], wildcards)) return bad_argument;
    auto size = read_number(given[1]);
    if (!size || *size > int32_max || *size < std::numeric_limits<int32_t>::min())
      return bad_argument;
    result.number = static_cast<int32_t>(*size);
    return {};
  }

  static std::string_view wildcard_and_text(const arguments& given, part& result,
                                            std::vector<int64_t>& wildcards) {
    if (given.size() < 2) return too_few;
    if (given.size() > 2) return too_many;
    if (!take_wildcard(given[0], wildcards)) return bad_argument;
    if (given[1].find(' ') != given[1].npos) return bad_argument;
    result.text = given[1];
    return {};
  }

  static std::string_view one_count(const arguments& given, part& result, std::vector<int64_t>&) {
    if (given.size() != 1) return too_few;
    return take_count(given[0], result) ? "" : bad_argument;
  }

  static bool take_wildcard(std::string_view text, std::vector<int64_t>& wildcards) {
    auto number = read_number(text);
    if (number) wildcards.push_back(*number);
    return number.has_value();
  }

  static bool take_count(std::string_view text, part& result) {
    auto number = read_number(text);
    if (!number || *number > int32_max) return false;
    result.number = static_cast<int32_t>(*number);  // below its range it wraps, as with the peer
    return true;
  }

  struct rule {
    std::string_view name;
    function what;
    std::string_view (*read_arguments)(const arguments& given, part& result,
                                       std::vector<int64_t>& wildcards);
  };

  static constexpr rule functions[] = {
      {"Wildcard", function::wildcard, one_wildcard},
      {"Partition", function::partition, buckets_and_wildcards},
      {"SplitFromLeft", function::split_from_left, wildcard_and_size},
      {"SplitFromRight", function::split_from_right, wildcard_and_size},
      {"SliceFromLeft", function::slice_from_left, wildcard_and_size},
      {"SliceFromRight", function::slice_from_right, wildcard_and_size},
      {"Right", function::right, wildcard_and_size},
      {"Left", function::left, wildcard_and_size},
      {"Split", function::split, wildcard_and_text},
      {"Random", function::random, one_count},
  };

  std::vector<size_t> wildcards_;  ///< which tokens of the source they are
  bool source_is_literal_ = false;
};

std::variant<subject_transform, transform_failure> subject_transform::make(
    std::string_view source, std::string_view destination) {
  if (!source.empty() && !valid_subject(source))
    return transform_failure{true, "invalid subject " + std::string{source}};
  transform_maker maker;
  if (!maker.read(source, destination)) return transform_failure{false, std::move(maker.error)};
  return std::move(maker.out);
}

}  // namespace vagus
