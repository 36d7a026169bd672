#include "net/options/conf_parser_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

// What a configuration refers to: variables, the environment, other files.

namespace vagus {

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
  if (open.size() >= run_.context.limits.max_include_depth)
    return wrong("refers to too many others");
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
  auto full =
      (fs::path{*file_}.parent_path() / fs::path{path.text}.relative_path()).lexically_normal();
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

}  // namespace vagus
