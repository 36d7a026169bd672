#pragma once

#include "cases.hpp"

#include <cstdint>

namespace vagus::bench {

/// The key-value bucket `b`, as clients use it, with keys of one length.

/// Makes it and puts each of `keys` so many times.
void fill_bucket(const server_process& server, uint64_t keys, uint64_t times, size_t payload);

/// Puts random keys of a full bucket by `clients` that wait for each acknowledgement.
sample measure_puts(const server_process& server, double seconds, unsigned clients, uint64_t keys,
                    size_t payload);

/// Direct gets of random keys by `clients`, one in flight each.
sample measure_key_gets(const server_process& server, double seconds, unsigned clients,
                        uint64_t keys, size_t payload);

/// Watches of all keys, one after the other for so long, and one before that does not count: from
/// the creation of an ordered consumer until the last revision of each key has arrived. Counts
/// keys.
sample measure_watch(const server_process& server, double seconds, uint64_t keys, size_t payload);

}  // namespace vagus::bench
