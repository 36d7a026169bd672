#pragma once

#include <chrono>
#include <string>

namespace vagus {

/// Whole seconds as "1m2s", with hours, days ("1d2h3m4s") and years where there are any.
std::string uptime_text(std::chrono::nanoseconds d);

/// A round trip time as "1.2ms"; below a millisecond good to the microsecond.
std::string rtt_text(std::chrono::nanoseconds rtt);

/// RFC 3339 in UTC, with as many digits of the second as are needed.
std::string time_text(std::chrono::system_clock::time_point t);

}  // namespace vagus
