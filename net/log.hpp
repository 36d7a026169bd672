#pragma once

#include "net/options/options.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace vagus {

enum class log_level : uint8_t { trace, debug, info, warning, error, fatal };

/// Opens the log that the options name: stderr by default, in nats-server's form
/// "[pid] yyyy/mm/dd hh:mm:ss.uuuuuu [INF] text". Call before anything is logged, and again on
/// reload. Throws std::runtime_error that says what to do if a file cannot be opened.
void open_log(const options& opts);

/// Closes and opens the log file again, so that it can be moved away (SIGUSR1).
void reopen_log();

void flush_log();

bool log_enabled(log_level level);
void write_log(log_level level, std::string_view text);

template <class... Ts>
void log_at(log_level level, fmt::format_string<Ts...> format, Ts&&... xs) {
  if (log_enabled(level)) write_log(level, fmt::format(format, std::forward<Ts>(xs)...));
}
template <class... Ts>
void log_trace(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::trace, f, std::forward<Ts>(xs)...);
}
template <class... Ts>
void log_debug(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::debug, f, std::forward<Ts>(xs)...);
}
template <class... Ts>
void log_info(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::info, f, std::forward<Ts>(xs)...);
}
template <class... Ts>
void log_warning(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::warning, f, std::forward<Ts>(xs)...);
}
template <class... Ts>
void log_error(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::error, f, std::forward<Ts>(xs)...);
}
template <class... Ts>
void log_fatal(fmt::format_string<Ts...> f, Ts&&... xs) {
  log_at(log_level::fatal, f, std::forward<Ts>(xs)...);
}

}  // namespace vagus
