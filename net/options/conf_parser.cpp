#include "net/options/conf_parser.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "net/options/conf_lexer.hpp"
#include "net/options/units.hpp"

// Recursive descent; the depth limit bounds the recursion. The first finding ends everything: functions return
// false and leave it in run.error.

namespace vagus {

namespace {

/// Shared by the text, the files that it includes and the variables that it takes from the environment.
struct parse_run {
  const conf_context& context;
  std::optional<conf_problem> error;
  std::vector<std::string> open_files;
  std::vector<std::string> open_variables;
  size_t values = 0;
  size_t bytes = 0;
  uint32_t order = 0;
};

class conf_parser {
 public:
  conf_parser(std::string_view text, const std::string& file, size_t depth, parse_run& run)
      : lexer_(text), file_(std::make_shared<const std::string>(file)), depth_(depth), run_(run) {}

  /// The whole text into `root`.
  bool parse(conf_map& root);

 private:
  bool top_level_entry(conf_map& root);
  bool end_of_top_level_value();
  bool entry(conf_map& map, conf_token key, bool inside_braces);
  bool map(conf_map& out);
  bool end_of_map_value();
  bool array(conf_array& out);
  bool value(conf_value& out);
  bool nested(conf_value& out);
  bool assign(conf_token token, conf_value& out);
  bool number(const conf_token& token, conf_value& out);
  bool variable(const conf_token& token, conf_value& out);
  bool from_environment(const conf_token& token, conf_value& out);
  bool include(conf_map& into);
  bool read_included(const conf_token& path, conf_map& out);
  bool charge(size_t values, size_t bytes);

  conf_position position(const conf_token& token) const { return {file_, token.line, token.column}; }
  bool fail(conf_token token);
  bool fail(std::string message) { return fail(lexer_.error(std::move(message))); }

  conf_lexer lexer_;
  std::shared_ptr<const std::string> file_;
  size_t depth_;
  parse_run& run_;
  std::vector<conf_map*> scopes_;
  size_t blocks_ = 0;  // braces open around the top level's keys, as in JSON
};

bool conf_parser::fail(conf_token token) {
  if (!run_.error) run_.error = conf_problem{position(token), std::move(token.text)};
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

bool conf_parser::variable(const conf_token& token, conf_value& out) {
  auto& name = token.text;
  for (auto bcrypt : {"2a$", "2b$", "2x$", "2y$"})
    if (name.starts_with(bcrypt)) {
      out.data = "$" + name;
      return true;
    }
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    auto found = (*scope)->find(name);
    if (found == (*scope)->end()) continue;
    auto size = extent(found->second);
    if (!charge(0, size.bytes)) return false;
    if (depth_ + size.depth > run_.context.limits.max_depth)
      return fail("maps and arrays nest too deeply");
    found->second.used_as_variable = true;
    out.data = found->second.data;
    return true;
  }
  return from_environment(token, out);
}

bool conf_parser::from_environment(const conf_token& token, conf_value& out) {
  auto& name = token.text;
  auto& open = run_.open_variables;
  auto wrong = [&](std::string_view what) {
    auto copy = token;
    copy.text = fmt::format("variable \"${}\" {}", name, what);
    return fail(std::move(copy));
  };
  if (std::find(open.begin(), open.end(), name) != open.end()) return wrong("refers to itself");
  if (open.size() >= run_.context.limits.max_include_depth) return wrong("refers to too many others");
  auto text = run_.context.env ? run_.context.env(name) : std::nullopt;
  if (!text) return wrong("is neither a key above nor in the environment");
  if (!charge(0, text->size())) return false;
  auto assignment = "v=" + *text;
  open.push_back(name);
  conf_map root;
  conf_parser inner{assignment, "$" + name, depth_, run_};
  bool good = inner.parse(root);
  open.pop_back();
  if (!good) return false;
  out.data = std::move(root.at("v").data);
  return true;
}

bool conf_parser::include(conf_map& into) {
  auto path = lexer_.include_path();
  if (path.kind == conf_token_kind::error) return fail(std::move(path));
  conf_map included;
  if (!read_included(path, included)) return false;
  for (auto& [key, parsed] : included) into.insert_or_assign(key, std::move(parsed));
  return true;
}

bool conf_parser::read_included(const conf_token& path, conf_map& out) {
  namespace fs = std::filesystem;
  auto wrong = [&](std::string what) {
    auto copy = path;
    copy.text = fmt::format("include \"{}\": {}", path.text, what);
    return fail(std::move(copy));
  };
  auto& open = run_.open_files;
  if (!run_.context.read_file) return wrong("not possible here");
  // Joined even when it starts with "/", as nats-server does.
  auto full = (fs::path{*file_}.parent_path() / fs::path{path.text}.relative_path()).lexically_normal();
  if (std::find(open.begin(), open.end(), full.string()) != open.end())
    return wrong("this file is already being read");
  if (open.size() >= run_.context.limits.max_include_depth) return wrong("files nest too deeply");
  auto file = run_.context.read_file(full.string());
  if (!file.text) return wrong(file.error);
  if (!charge(1, file.text->size())) return false;
  open.push_back(full.string());
  conf_parser inner{*file.text, full.string(), depth_, run_};
  bool good = inner.parse(out);
  open.pop_back();
  if (!good) run_.error->message += fmt::format(" (included from {})", to_string(position(path)));
  return good;
}

}  // namespace

parsed_conf parse_conf(std::string_view text, const std::string& file, const conf_context& context) {
  parsed_conf result;
  parse_run run{context, {}, {std::filesystem::path{file}.lexically_normal().string()}, {}};
  run.bytes = text.size();
  conf_parser parser{text, file, 0, run};
  if (text.find('\0') != std::string_view::npos)
    run.error = conf_problem{{std::make_shared<const std::string>(file)}, "the text contains a NUL byte"};
  else
    parser.parse(result.root);
  if (run.error) result = {{}, std::move(run.error)};
  return result;
}

}  // namespace vagus
