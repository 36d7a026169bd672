#include "net/protocol/frame_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vagus {

namespace {

size_t number(std::string_view digits) {
  size_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

bool frame_reader::next() {
  if (next_ >= run_end_) return false;
  begin_ = next_;
  std::string_view rest{batch_.frames()->data() + begin_, run_end_ - begin_};
  auto line = rest.substr(0, rest.find('\n') - 1);
  // frame_batch::append writes one blank between words: verb subject sid [reply] [headers] size
  std::array<std::string_view, 6> words;
  size_t count = 0;
  for (size_t from = 0; from <= line.size() && count < words.size();) {
    auto to = std::min(line.find(' ', from), line.size());
    words[count++] = line.substr(from, to - from);
    from = to + 1;
  }
  bool headers = line[0] == 'H';
  size_t numbers = headers ? 2 : 1;
  auto size = number(words[count - 1]);
  message_ = {};
  message_.subject = words[1];
  if (count == 4 + numbers) message_.reply = words[3];
  if (headers) message_.header_size = static_cast<int64_t>(number(words[count - 2]));
  size_t body = begin_ + line.size() + 2;
  const auto& splices = batch_.splices();
  auto splice = std::lower_bound(splices.begin(), splices.end(), body,
                                 [](const frame_splice& s, size_t at) { return s.at < at; });
  if (splice != splices.end() && splice->at == body) {
    message_.body = {splice->data, splice->size};
    message_.source = splice->source.get();
    next_ = body + 2;
  } else {
    message_.body = {batch_.frames()->data() + body, size};
    next_ = body + size + 2;
  }
  return true;
}

}  // namespace vagus
