#include "net/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <unistd.h>

namespace vagus {

namespace {

std::mutex open_mutex;
std::shared_ptr<spdlog::logger> logger;  // null: nothing is logged (unit tests)
options opened_with;

/// The tag that nats-server writes for a level.
class tag_flag final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    constexpr std::string_view tags[] = {"TRC", "DBG", "INF", "WRN", "ERR", "FTL"};
    auto tag = tags[static_cast<size_t>(msg.level) % 6];
    dest.append(tag.data(), tag.data() + tag.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<tag_flag>();
  }
};

spdlog::sink_ptr make_sink(const options& o) {
  if (o.syslog) return std::make_shared<spdlog::sinks::syslog_sink_mt>("vagus", 0, LOG_USER, true);
  if (o.log_file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (o.log_size_limit > 0)
    return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        o.log_file, static_cast<size_t>(o.log_size_limit),
        o.log_max_num > 0 ? static_cast<size_t>(o.log_max_num) : 100);
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(o.log_file);
}

void open_locked(const options& o) {
  spdlog::sink_ptr sink;
  try {
    sink = make_sink(o);
  } catch (const spdlog::spdlog_ex& e) {
    throw std::runtime_error{
        fmt::format("cannot open log file \"{}\": {}; name a file that can be "
                    "written with -l or log_file",
                    o.log_file, e.what())};
  }
  auto made = std::make_shared<spdlog::logger>("vagus", std::move(sink));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      o.logtime_utc ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  formatter->add_flag<tag_flag>('*').set_pattern(o.logtime ? "[%P] %Y/%m/%d %H:%M:%S.%f [%*] %v"
                                                           : "[%P] [%*] %v");
  made->set_formatter(std::move(formatter));
  made->set_level(o.trace   ? spdlog::level::trace
                  : o.debug ? spdlog::level::debug
                            : spdlog::level::info);
  made->flush_on(spdlog::level::trace);
  std::atomic_store(&logger, std::move(made));
  opened_with = o;
}

spdlog::level::level_enum level_of(log_level level) {
  return static_cast<spdlog::level::level_enum>(level);
}

}  // namespace

void open_log(const options& o) {
  std::lock_guard lock{open_mutex};
  open_locked(o);
}

void reopen_log() {
  std::lock_guard lock{open_mutex};
  if (logger) open_locked(options{opened_with});
}

void flush_log() {
  if (auto l = std::atomic_load(&logger)) l->flush();
}

bool log_enabled(log_level level) {
  auto l = std::atomic_load(&logger);
  return l && l->should_log(level_of(level));
}

void write_log(log_level level, std::string_view text) {
  if (auto l = std::atomic_load(&logger)) l->log(level_of(level), text);
}

}  // namespace vagus
