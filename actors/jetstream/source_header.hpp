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

/// `Nats-Stream-Source` of a message with that subject and sequence in the origin. `identity` is
/// what the origin called itself; a stream that is made anew under its old name has another one.
std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject,
                          std::string_view identity = {});

/// Where a sourced message comes from. What servers before 2.10 wrote ends behind the sequence.
struct source_origin {
  std::string name;     ///< `source_name`; before 2.10 without filters and destinations
  uint64_t seq = 0;     ///< in the origin
  std::string subject;  ///< in the origin
  std::string identity;

  bool operator==(const source_origin&) const = default;
};

/// Reads the value of a `Nats-Stream-Source`. Nothing if it is none.
std::optional<source_origin> read_source_header(std::string_view value);

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

/// How far the sources of a stream are, by the headers of its messages. To be shown messages from
/// the last one on backwards, until it has seen enough; a source whose filters or destinations are
/// others now is a new one.
class source_progress {
public:
  explicit source_progress(const std::vector<stream_source>& sources);

  /// The headers of a stored message, all of them. False if there is nothing left to find.
  bool look(std::string_view headers);
  bool complete() const { return missing_ == 0; }
  /// The last sequence of the origin that is stored; 0: none was seen.
  uint64_t stored(size_t source) const { return parts_[source].seq; }

private:
  struct part {
    std::string name;
    std::string origin;  ///< the name up to the filters
    uint64_t seq = 0;
  };

  std::vector<part> parts_;
  size_t missing_ = 0;
};

/// Under which subject a message of the origin is stored: the first transform of the source that
/// takes it, then the stream's own one.
class sourced_subject {
public:
  /// Both configurations are checked. A mirror is given without a transform of the stream.
  sourced_subject(const stream_source& source,
                  const std::optional<subject_transform_config>& of_stream);

  std::string apply(std::string_view subject) const;

private:
  std::vector<subject_transform> transforms_;
  std::optional<subject_transform> of_stream_;
};

}  // namespace vagus
