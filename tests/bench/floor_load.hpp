#pragma once

#include "throughput.hpp"

namespace vagus::bench {

/// One publisher and one subscriber through vagus_relay, which speaks no protocol: the stream ends
/// where the publisher shuts its side down. The bytes on both sides are those of `one_to_one`.
phase run_through_relay(const server_process& relay, const options& how, size_t payload,
                        double seconds);

}  // namespace vagus::bench
