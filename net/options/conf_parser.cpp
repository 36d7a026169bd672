#include "net/options/conf_parser.hpp"

#include "net/options/conf_parser_state.hpp"
#include "net/options/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

namespace vagus {

bool conf_parser::fail(conf_token token) {
  if (run_.error) return false;
  auto& error = run_.error.emplace();
  error.where = position(token);
  error.message = std::move(token.text);
  return false;
}

bool conf_parser::charge(size_t values, size_t bytes) {
  run_.values += values;
  run_.bytes += bytes;
  auto& limits = run_.context.limits;
  if (run_.values > limits.max_values)
    return fail(fmt::format("there are more than {} values", limits.max_values));
  if (run_.bytes > limits.max_total_bytes)
    return fail(fmt::format("files and variables take more than {} bytes", limits.max_total_bytes));
  return true;
}

bool conf_parser::parse(conf_map& root) {
  scopes_.push_back(&root);
  for (;;) {
    lexer_.skip_space();
    if (lexer_.at_end()) return true;
    if (lexer_.skip_comment()) continue;
    if (!top_level_entry(root)) return false;
  }
}

bool conf_parser::top_level_entry(conf_map& root) {
  if (lexer_.accept('{')) {
    return ++blocks_ <= run_.context.limits.max_depth || fail("braces nest too deeply");
  }
  if (blocks_ > 0 && lexer_.accept('}')) {
    --blocks_;
    return blocks_ == 0 || end_of_top_level_value();
  }
  if (lexer_.peek() == '/') return fail("a comment starts with \"//\" or \"#\"");
  auto key = lexer_.key();
  if (key.kind == conf_token_kind::error) return fail(std::move(key));
  if (key.kind == conf_token_kind::include) return include(root) && end_of_top_level_value();
  lexer_.skip_space();
  if (lexer_.at_end()) {
    if (key.text == "}") return true;  // the last brace of a JSON text whose first is missing
    key.kind = conf_token_kind::error;
    key.text = fmt::format("\"{}\" has no value", key.text);
    return fail(std::move(key));
  }
  return entry(root, std::move(key), false) && end_of_top_level_value();
}

bool conf_parser::end_of_top_level_value() {
  lexer_.skip_blanks();
  if (lexer_.skip_comment() || lexer_.at_newline()) return true;
  if (lexer_.accept(';') || lexer_.accept(',')) return true;
  if (lexer_.peek() == '}') return blocks_ > 0 || lexer_.accept('}');
  if (lexer_.at_end()) return blocks_ == 0 || fail("a \"}\" is missing");
  return fail("a value must end with a new line, \",\", \";\" or a comment");
}

/// The rest of an entry, from its separator on.
bool conf_parser::entry(conf_map& map, conf_token key, bool inside_braces) {
  if (lexer_.accept('=') || lexer_.accept(':')) {
    if (inside_braces)
      lexer_.skip_space();
    else
      lexer_.skip_blanks();
  }
  if (inside_braces && (lexer_.peek() == ',' || lexer_.peek() == '}'))
    return fail(fmt::format("\"{}\" has no value", key.text));
  if (lexer_.at_newline()) return fail("a value is missing before the end of the line");
  conf_value parsed;
  if (!value(parsed)) return false;
  parsed.where = position(key);
  parsed.order = ++run_.order;
  map.insert_or_assign(std::move(key.text), std::move(parsed));
  return true;
}

bool conf_parser::value(conf_value& out) {
  if (!charge(1, 0)) return false;
  auto here = lexer_.error({});
  out.where = position(here);
  if (lexer_.peek() == '[' || lexer_.peek() == '{') return nested(out);
  return assign(lexer_.scalar(), out);
}

bool conf_parser::nested(conf_value& out) {
  if (++depth_ > run_.context.limits.max_depth) return fail("maps and arrays nest too deeply");
  bool good = false;
  if (lexer_.accept('[')) {
    good = array(out.data.emplace<conf_array>());
  } else {
    lexer_.accept('{');
    auto& inner = out.data.emplace<conf_map>();
    scopes_.push_back(&inner);
    good = map(inner);
    scopes_.pop_back();
  }
  --depth_;
  return good;
}

bool conf_parser::map(conf_map& out) {
  for (;;) {
    lexer_.skip_space();
    if (lexer_.at_end()) return fail("the file ends inside a map");
    if (lexer_.accept('}')) return true;
    if (lexer_.skip_comment()) continue;
    if (lexer_.peek() == '/') return fail("a comment starts with \"//\" or \"#\"");
    if (lexer_.peek() == ']') return fail("a map cannot end with \"]\"");
    auto key = lexer_.key();
    if (key.kind == conf_token_kind::error) return fail(std::move(key));
    if (key.kind == conf_token_kind::include) {
      if (!include(out) || !end_of_map_value()) return false;
      continue;
    }
    lexer_.skip_space();
    if (!entry(out, std::move(key), true) || !end_of_map_value()) return false;
  }
}

bool conf_parser::end_of_map_value() {
  lexer_.skip_blanks();
  if (lexer_.skip_comment() || lexer_.at_newline() || lexer_.peek() == '}') return true;
  if (lexer_.accept(';') || lexer_.accept(',')) return true;
  return fail("an entry of a map must end with a new line, \",\" or \"}\"");
}

bool conf_parser::array(conf_array& out) {
  for (;;) {
    lexer_.skip_space();
    if (lexer_.at_end()) return fail("the file ends inside an array");
    if (lexer_.skip_comment()) continue;
    if (lexer_.accept(']')) return true;
    if (lexer_.peek() == ',') return fail("a value is missing before the \",\"");
    conf_value element;
    if (!value(element)) return false;
    out.push_back(std::move(element));
    lexer_.skip_blanks();
    while (lexer_.skip_comment()) {
    }
    if (lexer_.accept(',') || lexer_.at_newline() || lexer_.peek() == ']') continue;
    return fail("a value of an array must end with a new line, \",\" or \"]\"");
  }
}

bool conf_parser::assign(conf_token token, conf_value& out) {
  switch (token.kind) {
    case conf_token_kind::string:
      if (!charge(0, token.text.size())) return false;
      out.data = std::move(token.text);
      return true;
    case conf_token_kind::boolean: {
      auto c = token.text[0] | 0x20;  // true, yes and on; false, no and off
      out.data = c == 't' || c == 'y' || (c == 'o' && token.text.size() == 2);
      if (c == 'n') out.data = false;
      return true;
    }
    case conf_token_kind::datetime:
      out.data = conf_datetime{std::move(token.text)};
      return true;
    case conf_token_kind::integer:
    case conf_token_kind::floating:
      return number(token, out);
    case conf_token_kind::variable:
      return variable(token, out);
    default:
      return fail(std::move(token));
  }
}

bool conf_parser::number(const conf_token& token, conf_value& out) {
  auto wrong = [&](std::string_view what) {
    auto copy = token;
    copy.text = fmt::format("\"{}\" {}", token.text, what);
    return fail(std::move(copy));
  };
  if (token.kind == conf_token_kind::floating) {
    double x = 0;
    auto& text = token.text;
    auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (error != std::errc{}) return wrong("is out of range");
    out.data = x;
    return true;
  }
  auto parsed = parse_size(token.text);
  if (parsed.error == number_error::malformed) return wrong("has an unknown size suffix");
  if (parsed.error == number_error::out_of_range) return wrong("is out of range");
  out.data = parsed.value;
  return true;
}

parsed_conf parse_conf(std::string_view text, const std::string& file,
                       const conf_context& context) {
  parsed_conf result;
  parse_run run{context, {}, {std::filesystem::path{file}.lexically_normal().string()}, {}};
  run.bytes = text.size();
  conf_parser parser{text, file, 0, run};
  if (text.find('\0') != std::string_view::npos)
    parser.fail("the text contains a NUL byte");
  else
    parser.parse(result.root);
  if (run.error) {
    result.root.clear();
    result.error = std::move(run.error);
  }
  return result;
}

}  // namespace vagus
