#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/publish_headers.hpp"
#include "actors/jetstream/source_header.hpp"
#include "storage/store_types.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

namespace {

void check_read(std::string_view block) {
  auto headers = read_publish_headers(block);
  for (auto value : {headers.msg_id, headers.expected_stream, headers.expected_last_msg_id,
                     headers.expected_subject, headers.ttl, headers.required_api_level})
    require(lies_in(value, block), "views of a block lie in it");
  auto found = find_header(block, "Nats-Msg-Id");
  require(lies_in(found, block), "a value lies in its block");
  require(found.empty() || found == headers.msg_id, "both readers find the same");
  require(found.find("\r\n") == found.npos, "a value ends with its line");
  asks_higher_level(block);
  auto ttl = parse_message_ttl(headers.ttl);
  require(!ttl || *ttl == ttl_none || *ttl == ttl_never || *ttl >= 1'000'000'000,
          "a message lives for a second at least");
  require(headers.ttl.empty() || ttl != ttl_none, "a time to live that is there is one");
}

/// Nothing of what the origin was to expect is left, whoever wrote the headers.
void check_copied(std::string_view copied) {
  require(copied.starts_with("NATS/1.0\r\n") && copied.ends_with("\r\n\r\n"), "a block is whole");
  auto h = read_publish_headers(copied);
  require(h.expected_stream.empty() && h.expected_last_msg_id.empty() &&
              h.expected_subject.empty() && !h.expected_last_seq && !h.expected_last_subject_seq,
          "a copy expects nothing");
  require(copied.find("\r\n\r\n") == copied.size() - 4, "a block ends once");
}

void check_source(std::string_view block) {
  stream_source source;
  source.name = "ORIGIN";
  source.filter_subject = "a.>";
  auto line = source_header(source_name(source), 17, "a.b", stream_identity("ORIGIN", 3));
  auto copied = sourced_headers(block, line);
  check_copied(copied);
  auto value = find_header(copied, "Nats-Stream-Source");
  require(line == std::string{"Nats-Stream-Source: "}.append(value) + "\r\n",
          "a copy says where it is from, and nothing before does");
  require(sourced_headers(copied, line) == copied, "a copy of a copy is the same");
  auto mirrored = mirrored_headers(block);
  if (mirrored.empty()) return;
  check_copied(mirrored);
  require(mirrored_headers(mirrored) == mirrored, "a mirror of a mirror is the same");
  if (block.ends_with("\r\n"))
    require(find_header(mirrored, "Nats-Msg-Id") == find_header(block, "Nats-Msg-Id"),
            "a mirror keeps the other headers");
}

}  // namespace

/// The whole is the header block of a message, its lines with or without a carriage return.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto text = text_of(data, size);
  check_read(text);
  check_source(text);
  std::string block;
  for (const auto& line : lines_of(text)) block.append(line).append("\r\n");
  check_read(block);
  check_source(block);
  return 0;
}
