#include "net/protocol/parser.hpp"
#include "target.hpp"

#include <cstring>
#include <memory>
#include <random>

using namespace vagus;
using namespace vagus::fuzz;

namespace {

constexpr parse_limits limits{64, 256};

/// Bytes with the '\n' behind them, in memory of just that size.
struct block {
  explicit block(std::string_view text) : bytes{new char[text.size() + 1]}, size{text.size()} {
    if (size > 0) std::memcpy(bytes.get(), text.data(), size);
    bytes[size] = '\n';
  }
  operation parse() const { return parse_operation(bytes.get(), bytes.get() + size, limits); }

  std::unique_ptr<char[]> bytes;
  size_t size;
};

void check_inside(const block& in, std::string_view view) {
  if (view.empty()) return;
  require(view.data() >= in.bytes.get() && view.data() + view.size() <= in.bytes.get() + in.size,
          "views point into the input");
}

/// Everything that an operation says, as one text.
std::string describe(const block& in, const operation& o) {
  for (auto view : {o.subject, o.reply, o.queue, o.sid, o.args}) check_inside(in, view);
  std::string text = std::to_string(static_cast<int>(o.kind));
  for (auto view : {o.subject, o.reply, o.queue, o.sid, o.args}) text.append("|").append(view);
  text += "|" + std::to_string(o.header_size) + "|" + std::to_string(o.max);
  if (o.kind == op::pub) {
    std::string_view payload{o.payload, static_cast<size_t>(o.size)};
    check_inside(in, payload);
    text.append("|").append(payload);
  }
  return text + "\n";
}

bool goes_on(op kind) {
  return kind == op::pub || kind == op::sub || kind == op::unsub || kind == op::ping ||
         kind == op::pong || kind == op::connect || kind == op::ignored || kind == op::info;
}

std::string describe_pub(const operation& o) {
  std::string text = std::to_string(static_cast<int>(o.kind));
  if (o.kind != op::pub) return text;
  for (auto view : {o.subject, o.reply, o.args}) text.append("|").append(view);
  text += "|" + std::to_string(o.header_size) + "|";
  return text.append(o.payload, static_cast<size_t>(o.size));
}

/// PUB with single blanks has a path of its own: with a tab behind its name it has not, and must
/// mean the same. Nor does it matter what the operation held before.
void check_paths(std::string_view text) {
  if (text.size() < 4 || text[3] != ' ') return;
  operation reused;
  reused.reply = reused.queue = "left over";
  reused.header_size = 7;
  block quick{text};
  parse_operation(quick.bytes.get(), quick.bytes.get() + quick.size, limits, reused);
  std::string other{text};
  other[3] = '\t';
  block slow{other};
  require(describe_pub(slow.parse()) == describe_pub(reused), "both paths of PUB mean the same");
}

/// What a connection would act on if everything came in one read.
std::string as_one(std::string_view text) {
  std::string transcript;
  while (!text.empty()) {
    block b{text};
    auto o = b.parse();
    check_paths(text);
    if (o.kind == op::incomplete) break;
    transcript += describe(b, o);
    if (!goes_on(o.kind)) break;
    auto used = static_cast<size_t>(o.next - b.bytes.get());
    require(used > 0 && used <= text.size(), "an operation has bytes, and not more than there are");
    text.remove_prefix(used);
  }
  return transcript;
}

/// The same in pieces, parsed when as many bytes are there as were asked for.
std::string in_pieces(std::string_view text, std::minstd_rand& random) {
  std::string transcript;
  size_t have = 0;
  size_t needed = 0;
  for (size_t taken = 0; taken < text.size();) {
    auto piece = std::min<size_t>(1 + random() % 16, text.size() - taken);
    taken += piece;
    have += piece;
    while (have > 0) {
      block b{text.substr(taken - have, have)};
      auto o = b.parse();
      if (o.kind == op::incomplete) {
        require(o.needed > have, "what is needed is more than there is");
        needed = o.needed;
        break;
      }
      if (goes_on(o.kind))
        require(have >= needed, "nothing is complete with fewer bytes than were asked for");
      needed = 0;
      transcript += describe(b, o);
      if (!goes_on(o.kind)) return transcript;
      have -= static_cast<size_t>(o.next - b.bytes.get());
    }
  }
  return transcript;
}

}  // namespace

/// The first byte chooses the pieces; the rest is what a client sends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::minstd_rand random{data[0] + 1u};
  auto text = text_of(data + 1, size - 1);
  require(as_one(text) == in_pieces(text, random), "pieces and the whole agree");
  return 0;
}
