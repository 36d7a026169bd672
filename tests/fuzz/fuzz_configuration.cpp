#include "net/options/caf_file.hpp"
#include "net/options/conf_parser.hpp"
#include "net/options/translate.hpp"
#include "net/options/validate.hpp"
#include "target.hpp"

#include <optional>

using namespace vagus;
using namespace vagus::fuzz;

namespace {

/// Variables that are values, groups, text that goes on, and themselves.
std::optional<std::string> variable(std::string_view name) {
  if (name == "A") return "[1, 2]";
  if (name == "B") return "$B";
  if (name == "C") return "{ port: 5 }";
  if (name == "D") return "4MB";
  return std::nullopt;
}

conf_context bounded() {
  conf_context context;
  context.env = variable;
  context.limits = {16, 4, 5000, 1 << 20};
  return context;
}

void use(const conf_map& root, conf_language language) {
  options opts;
  translation work{opts, language, {}, {}, {}};
  translate(root, top_level_rules(), work);
  for (const auto& problem : work.errors) require(!to_string(problem).empty(), "errors have texts");
  fill_defaults(opts);
  validate(opts);
}

void check_nats_server(const std::string& text) {
  auto parsed = parse_conf(text, "file", bounded());
  require(!parsed.error || parsed.root.empty(), "either a tree or an error");
  if (parsed.error) return;
  auto again = parse_conf(text, "file", bounded());
  require(!again.error && conf_digest(again.root) == conf_digest(parsed.root),
          "the same text has the same digest");
  use(parsed.root, conf_language::nats_server);
}

void check_caf(const std::string& text) {
  auto document = read_caf(text, "file");
  if (!document.error) use(document.vagus, conf_language::caf);
}

}  // namespace

/// One file, read in both languages whatever it is in.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text{text_of(data, size)};
  looks_like_caf(text);
  check_nats_server(text);
  check_caf(text);
  return 0;
}
