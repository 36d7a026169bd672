#include "actors/monitor/json_writer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace vagus {

std::string json_quoted(std::string_view text) {
  auto plain = [](unsigned char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), plain)) return fmt::format("\"{}\"", text);
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void json_writer::begin_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!first_) out_ += ',';
  if (depth_ > 0) out_.append(1, '\n').append(2 * depth_, ' ');
  first_ = false;
}

json_writer& json_writer::key(std::string_view name) {
  begin_value();
  out_ += json_quoted(name);
  out_ += ": ";
  after_key_ = true;
  return *this;
}

json_writer& json_writer::open(char bracket) {
  begin_value();
  out_ += bracket;
  ++depth_;
  first_ = true;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  --depth_;
  if (!first_) out_.append(1, '\n').append(2 * depth_, ' ');
  out_ += bracket;
  first_ = false;
  return *this;
}

json_writer& json_writer::raw(std::string_view text) {
  begin_value();
  out_ += text;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  return raw(json_quoted(text));
}

json_writer& json_writer::json(std::string_view text) {
  auto tree = nlohmann::ordered_json::parse(text, nullptr, false);
  if (tree.is_discarded()) return raw("null");
  begin_value();
  for (char c : tree.dump(2)) {
    out_ += c;
    if (c == '\n') out_.append(2 * depth_, ' ');  // inside strings line ends are escaped
  }
  return *this;
}

json_writer& json_writer::value(double number) {
  return raw(fmt::format("{}", number));
}

}  // namespace vagus
