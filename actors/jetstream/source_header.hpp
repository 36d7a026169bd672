#pragma once

#include "actors/jetstream/stream_config.hpp"
#include "net/subject_transform.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// What tells one source of a stream from the others, and what a sourced message's header has of
/// it: `<stream>[:<hash of an external api>] <filters> <destinations>`, several joined by form
/// feeds.
std::string source_name(const stream_source& source);

constexpr std::string_view stream_identity_header = "Nats-Stream-Identity";

/// What a stream calls itself towards those that copy it, in that header: one that is made
/// anew under its old name is another one.
std::string stream_identity(std::string_view name, int64_t created_ns);

/// `Nats-Stream-Source`, a line, of a message with that subject and sequence in the origin.
/// `identity` is what the origin called itself; empty if it did not.
std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject,
                          std::string_view identity = {});

/// The headers with which a message is stored that had `headers` in the origin: without what the
/// origin was to expect, and with `source_header`, a line, instead of one that was there. A roll-up
/// stays, and counts where the stream allows it.
std::string sourced_headers(std::string_view headers, std::string_view source_header);

/// The same for a mirror, which keeps where a message came from. Empty if nothing is left.
std::string mirrored_headers(std::string_view headers);

/// Where in the origin a source begins: at a sequence, at a time, or with the first message.
struct source_start {
  uint64_t seq = 0;  ///< 0: not by sequence
  std::optional<int64_t> time;

  bool operator==(const source_start&) const = default;
};

/// Behind what is stored, never before the sequence that the configuration says; as it says if
/// nothing is.
source_start start_of(const stream_source& source, uint64_t stored);

/// Under which subject a message of the origin comes to the stream: as the first transform of the
/// source that takes it says. The stream's own transform comes after it.
class sourced_subject {
public:
  /// @pre `source` is checked
  explicit sourced_subject(const stream_source& source);

  std::string apply(std::string_view subject) const;

private:
  std::vector<subject_transform> transforms_;
};

}  // namespace vagus
