#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vagus {

/// The query of a request. Reading a parameter that is absent or empty gives nothing ("", 0,
/// false); one that cannot be read sets `error`, in nats-server's words: the first such counts.
class parameters {
public:
  parameters() = default;
  explicit parameters(std::string_view query);

  std::string text(std::string_view name) const;
  bool flag(std::string_view name);
  int64_t integer(std::string_view name);
  uint64_t number(std::string_view name);

  /// What is wrong with the request; empty: nothing.
  const std::string& error() const { return error_; }
  void fail(std::string what);

private:
  template <class T>
  T read(std::string_view name, std::string_view type, std::string_view function);

  std::vector<std::pair<std::string, std::string>> all_;
  std::string error_;
};

/// A request target as path (decoded) and query.
struct split_target {
  std::string path;
  std::string_view query;
};
split_target split(std::string_view target);

}  // namespace vagus
