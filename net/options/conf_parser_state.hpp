#pragma once

#include "net/options/conf_lexer.hpp"
#include "net/options/conf_parser.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Inside of parse_conf. Recursive descent; the depth limit bounds the recursion. The first finding
// ends everything: functions return false and leave it in run.error.

namespace vagus {

/// Shared by the text, the files that it includes and the variables that it takes from the
/// environment.
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

  /// Leaves the finding in run.error, if it is the first. Always false.
  bool fail(conf_token token);
  bool fail(std::string message) { return fail(lexer_.error(std::move(message))); }

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

  conf_position position(const conf_token& token) const {
    return {file_, token.line, token.column};
  }

  conf_lexer lexer_;
  std::shared_ptr<const std::string> file_;
  size_t depth_;
  parse_run& run_;
  std::vector<conf_map*> scopes_;
  size_t blocks_ = 0;  // braces open around the top level's keys, as in JSON
};

}  // namespace vagus
