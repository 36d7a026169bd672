#pragma once

#include "net/options/conf_value.hpp"
#include "net/options/options.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// In which language a tree was written. CAF's has no size suffixes, so sizes may be strings there
/// ("64MB"), and keys may be written with "-" in place of "_".
enum class conf_language : uint8_t { nats_server, caf };

/// The work of turning a tree into options. Rules add to `errors` and go on, so that one run
/// reports all.
struct translation {
  options& out;
  conf_language language = conf_language::nats_server;
  std::vector<conf_problem> errors;
  std::vector<conf_problem> warnings;  ///< understood, but to be written differently
  std::string key;                     ///< the one at work, as it was written
  bool store_dir_given = false;        ///< may be written in two places, but only in one of them

  void error(const conf_value& at, std::string message);
  void warn(const conf_value& at, std::string message);
};

/// What one key means. `names[0]` is the one to use, the others are read as well.
struct key_rule {
  std::array<std::string_view, 6> names;
  void (*apply)(translation& work, const conf_value& value);
  bool supported =
      true;  ///< false: known from nats-server, refused (or only its default is accepted)
};

/// Of ASCII's letters.
std::string lower_case(std::string text);

/// Every top-level key of nats-server and vagus' own.
std::span<const key_rule> top_level_rules();

/// The keys inside "authorization".
std::span<const key_rule> authorization_rules();

/// The keys inside "jetstream", and inside its "limits".
std::span<const key_rule> jetstream_rules();
std::span<const key_rule> jetstream_limit_rules();

/// Applies `map` to work.out by `rules`, in the order of the file, so that the later of two keys
/// wins. Keys match in any case. A key without a rule is an error, unless a variable refers to it.
void translate(const conf_map& map, std::span<const key_rule> rules, translation& work);

}  // namespace vagus
