#include "net/options/caf_places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vagus {

namespace {

constexpr size_t max_depth = 64;

class scanner {
public:
  scanner(std::string_view text, const std::string& file)
      : text_(text), file_(std::make_shared<const std::string>(file)) {}

  caf_places run() {
    while (pos_ < text_.size() && !out_.error) step();
    return std::move(out_);
  }

private:
  void step() {
    auto c = text_[pos_];
    if (c == '"' || c == '\'') return skip_string(c);
    if (c == ';') return advance(std::min(text_.find('\n', pos_), text_.size()) - pos_);
    if (is_name(c)) return name();
    if (c == '[' && open_.empty() && !after_equals_) return section();
    if (c == '{' || c == '[') open(c);
    if ((c == '}' || c == ']') && !open_.empty()) open_.pop_back();
    if (c == '=') after_equals_ = true;
    if (c == '\n' || c == ']' || c == '}') after_equals_ = false;
    advance(1);
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  }

  void advance(size_t count) {
    for (; count > 0 && pos_ < text_.size(); --count)
      if (text_[pos_++] == '\n') {
        ++line_;
        line_start_ = pos_;
      }
  }

  void skip_string(char quote) {
    advance(1);
    while (pos_ < text_.size() && text_[pos_] != quote) advance(text_[pos_] == '\\' ? 2 : 1);
    advance(1);
  }

  std::string_view take_name() {
    auto from = pos_;
    while (pos_ < text_.size() && is_name(text_[pos_])) advance(1);
    return text_.substr(from, pos_ - from);
  }

  conf_position here() const { return {file_, line_, static_cast<int>(pos_ - line_start_) + 1}; }

  void name() {
    auto where = here();
    auto word = take_name();
    auto next = std::min(text_.find_first_not_of(" \t", pos_), text_.size());
    bool is_key = next < text_.size() && (text_[next] == '=' || text_[next] == '{');
    if (!is_key) return;
    pending_ = path(word);
    add(pending_, where);
  }

  std::string path(std::string_view word) const {
    auto& outer = open_.empty() ? section_ : open_.back();
    auto result = outer.empty() ? std::string{word} : fmt::format("{}.{}", outer, word);
    return result;
  }

  void add(const std::string& key, const conf_position& where) {
    auto plain = key;
    std::replace(plain.begin(), plain.end(), '_', '-');
    if (seen_.emplace(plain, true).second)
      out_.keys.emplace(key, where);
    else
      out_.error = conf_problem{where, fmt::format("\"{}\" is written twice", key)};
  }

  /// "[a.b]" at the top: what follows belongs to a.b, until the next one.
  void section() {
    auto where = here();
    advance(1);
    auto end = std::min(text_.find_first_of("]\n", pos_), text_.size());
    section_ = text_.substr(pos_, end - pos_);
    std::erase_if(section_, [](char c) { return c == ' ' || c == '\t'; });
    advance(end - pos_);
    if (pos_ < text_.size() && text_[pos_] == ']') advance(1);
    add(section_, where);
  }

  void open(char bracket) {
    if (open_.size() == max_depth) {
      out_.error = conf_problem{here(), "maps and lists nest too deeply"};
      return;
    }
    // A map inside a list has no key; the place makes its path unlike any other.
    auto place = fmt::format("{}#{}", path(""), pos_);
    open_.push_back(bracket == '{' && !pending_.empty() ? std::exchange(pending_, {})
                                                        : std::move(place));
    pending_.clear();
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  caf_places out_;
  std::map<std::string, bool> seen_;
  size_t pos_ = 0;
  int line_ = 1;
  size_t line_start_ = 0;
  std::string section_;
  std::string pending_;  // the key whose value comes next
  std::vector<std::string> open_;
  bool after_equals_ = false;
};

}  // namespace

caf_places find_caf_places(std::string_view text, const std::string& file) {
  return scanner{text, file}.run();
}

}  // namespace vagus
