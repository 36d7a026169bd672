#pragma once

#include "actors/jetstream/json_fields.hpp"

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// Writes JSON on one line, as Go's encoding/json does: a visitor of `fields`.
class json_output {
public:
  explicit json_output(std::string& out) : out_{out} {}

  template <class T>
  void operator()(std::string_view name, const T& x, when w) {
    if (w == when::not_empty && is_empty(x)) return;
    key(name);
    value(x);
  }
  void integer(std::string_view name, int64_t x, when w) { (*this)(name, x, w); }
  void duration(std::string_view name, int64_t x, when w) { (*this)(name, x, w); }
  void durations(std::string_view name, const std::vector<int64_t>& x, when w) {
    (*this)(name, x, w);
  }
  void time(std::string_view name, const std::optional<int64_t>& x, when w);

  template <class T>
  requires(!peer_type<T>.empty()) void value(const T& x) {
    begin('{');
    fields(*this, x);
    end('}');
  }
  void value(std::string_view text);
  void value(const std::string& text) { value(std::string_view{text}); }
  void value(bool yes) { out_ += yes ? "true" : "false"; }
  template <std::integral T>
  void value(T number) {
    out_ += std::to_string(number);
  }
  void value(retention_policy x);
  void value(discard_policy x);
  void value(storage_type x);
  void value(compression_type x);
  void value(persist_mode_type x);
  void value(deliver_policy x);
  void value(ack_policy x);
  void value(replay_policy x);
  void value(priority_policy x);
  template <class T>
  void value(const std::optional<T>& x) {
    value(*x);
  }
  template <class T>
  void value(const std::vector<T>& list) {
    begin('[');
    for (const auto& x : list) {
      separate();
      value(x);
    }
    end(']');
  }
  template <class T>
  void value(const std::map<std::string, T>& map) {
    begin('{');
    for (const auto& [name, x] : map) {
      key(name);
      value(x);
    }
    end('}');
  }

  void key(std::string_view name);
  /// The next element of a list follows.
  void item() { separate(); }
  /// What is already JSON.
  void raw(std::string_view json) { out_ += json; }
  void begin(char bracket);
  void end(char bracket);

private:
  template <class T>
  static bool is_empty(const T& x) {
    return x == T{};
  }
  template <class T>
  static bool is_empty(const std::optional<T>& x) {
    return !x;
  }
  void separate();

  std::string& out_;
  bool first_ = true;  ///< nothing yet inside the innermost bracket
};

}  // namespace vagus
