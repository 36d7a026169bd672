#include "net/protocol/connect.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <climits>

namespace vagus {

namespace {

using json = nlohmann::json;

bool same_key(std::string_view given, std::string_view lower) {
  return std::equal(given.begin(), given.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

/// The members that keys name, by the type that their values must have.
bool* bool_member(std::string_view key, connect_options& o) {
  if (same_key(key, "verbose")) return &o.verbose;
  if (same_key(key, "pedantic")) return &o.pedantic;
  if (same_key(key, "echo")) return &o.echo;
  if (same_key(key, "headers")) return &o.headers;
  if (same_key(key, "no_responders")) return &o.no_responders;
  if (same_key(key, "new_account")) return &o.new_account;
  return nullptr;
}

std::string* text_member(std::string_view key, connect_options& o) {
  if (same_key(key, "name")) return &o.name;
  if (same_key(key, "lang")) return &o.lang;
  if (same_key(key, "version")) return &o.version;
  if (same_key(key, "user")) return &o.user;
  if (same_key(key, "pass")) return &o.pass;
  if (same_key(key, "auth_token")) return &o.auth_token;
  if (same_key(key, "account")) return &o.account;
  return nullptr;
}

int* number_member(std::string_view key, connect_options& o) {
  return same_key(key, "protocol") ? &o.protocol : nullptr;
}

/// Reads the keys of the outermost object as they come by; what lies deeper is only checked to be
/// JSON. Nothing is built, so that neither depth nor the number of keys costs memory.
class connect_reader final : public json::json_sax_t {
public:
  explicit connect_reader(connect_options& to) : to_{to} {}

  bool is_object = false;
  bool is_null = false;

  bool null() override {
    if (depth_ == 0) is_null = true;
    return true;  // as if the key were not there
  }
  bool boolean(bool value) override {
    if (depth_ != 1) return depth_ > 1;
    if (auto* member = bool_member(key_, to_)) {
      *member = value;
      return true;
    }
    return unknown_key();
  }
  bool number_integer(number_integer_t value) override {
    if (depth_ != 1) return depth_ > 1;
    if (auto* member = number_member(key_, to_)) {
      *member = static_cast<int>(std::clamp<int64_t>(value, INT_MIN, INT_MAX));
      return true;
    }
    return unknown_key();
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number_integer(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)));
  }
  bool number_float(number_float_t, const string_t&) override { return other_value(); }
  bool string(string_t& value) override {
    if (depth_ != 1) return depth_ > 1;
    if (auto* member = text_member(key_, to_)) {
      *member = std::move(value);
      return true;
    }
    return unknown_key();
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (depth_ == 0) is_object = true;
    bool good = depth_ == 0 || other_value();
    ++depth_;
    return good;
  }
  bool key(string_t& value) override {
    if (depth_ == 1) key_ = std::move(value);
    return true;
  }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override {
    bool good = depth_ > 0 && other_value();
    ++depth_;
    return good;
  }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

private:
  bool unknown_key() {
    return !bool_member(key_, to_) && !text_member(key_, to_) && !number_member(key_, to_);
  }
  /// A value of a type that no known key has.
  bool other_value() { return depth_ != 1 || unknown_key(); }

  connect_options& to_;
  std::string key_;
  int64_t depth_ = 0;
};

}  // namespace

bool apply_connect(std::string_view text, connect_options& options) {
  connect_reader reader{options};
  return json::sax_parse(text.begin(), text.end(), &reader) && (reader.is_object || reader.is_null);
}

bool is_json_object(std::string_view text) {
  connect_options ignored;
  connect_reader reader{ignored};
  return json::sax_parse(text.begin(), text.end(), &reader) && reader.is_object;
}

}  // namespace vagus
