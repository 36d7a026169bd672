#include "actors/monitor/texts.hpp"

#include "net/options/units.hpp"

#include <fmt/chrono.h>

namespace vagus {

using namespace std::chrono_literals;

std::string uptime_text(std::chrono::nanoseconds d) {
  auto seconds = std::max<int64_t>(d / 1s, 0);
  auto days = seconds / 86400;
  auto text = fmt::format("{}s", seconds % 60);
  if (seconds >= 60) text = fmt::format("{}m{}", seconds / 60 % 60, text);
  if (seconds >= 3600) text = fmt::format("{}h{}", seconds / 3600 % 24, text);
  if (days > 0) text = fmt::format("{}d{}", days % 365, text);
  if (days >= 365) text = fmt::format("{}y{}", days / 365, text);
  return text;
}

std::string rtt_text(std::chrono::nanoseconds rtt) {
  if (rtt > 1us && rtt < 1ms) rtt = rtt / 1us * 1us;
  auto text = format_duration(rtt);
  if (auto at = text.find("us"); at != std::string::npos) text.replace(at, 2, "\u00b5s");
  return text;
}

std::string time_text(std::chrono::system_clock::time_point t) {
  auto since = std::chrono::nanoseconds{t.time_since_epoch()};
  auto text =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(since / 1s)));
  if (since % 1s != 0ns) {
    text += fmt::format(".{:09}", (since % 1s).count());
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

}  // namespace vagus
