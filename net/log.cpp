#include "net/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/sinks/udp_sink.h>
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

/// The start of a syslog message (RFC 3164): facility "daemon" and the level's severity.
class priority_flag final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& dest) override {
    constexpr int daemon = 3 * 8;
    constexpr int severities[] = {7, 7, 6, 4, 3, 2};
    auto text = fmt::format("<{}>", daemon + severities[static_cast<size_t>(msg.level) % 6]);
    dest.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<priority_flag>();
  }
};

/// "udp://host:port", the form of remote_syslog. Throws spdlog_ex if it is anything else.
spdlog::sink_ptr make_remote_syslog(const std::string& url) {
  constexpr std::string_view scheme = "udp://";
  auto colon = url.rfind(':');
  if (url.compare(0, scheme.size(), scheme) != 0 || colon < scheme.size())
    throw spdlog::spdlog_ex{"remote_syslog must be udp://host:port"};
  boost::asio::io_context io;
  boost::system::error_code failed;
  auto found = boost::asio::ip::udp::resolver{io}.resolve(
      boost::asio::ip::udp::v4(), url.substr(scheme.size(), colon - scheme.size()),
      url.substr(colon + 1), failed);
  if (failed || found.empty())
    throw spdlog::spdlog_ex{"its host is not known: " + failed.message()};
  auto at = found.begin()->endpoint();
  return std::make_shared<spdlog::sinks::udp_sink_mt>(
      spdlog::sinks::udp_sink_config{at.address().to_string(), at.port()});
}

std::string destination_of(const options& o) {
  if (!o.remote_syslog.empty()) return "remote_syslog " + o.remote_syslog;
  return o.syslog ? "syslog" : "file \"" + o.log_file + "\"";
}

spdlog::sink_ptr make_sink(const options& o) {
  if (!o.remote_syslog.empty()) return make_remote_syslog(o.remote_syslog);
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
        fmt::format("cannot log to {}: {}; name a file that can be written with -l or log_file, "
                    "or a syslog with -r udp://host:port",
                    destination_of(o), e.what())};
  }
  auto made = std::make_shared<spdlog::logger>("vagus", std::move(sink));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(
      o.logtime_utc ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  std::string pattern = o.logtime ? "[%P] %Y/%m/%d %H:%M:%S.%f [%*] %v" : "[%P] [%*] %v";
  if (!o.remote_syslog.empty()) pattern = "%!%b %d %H:%M:%S vagus[%P]: [%*] %v";
  formatter->add_flag<tag_flag>('*').add_flag<priority_flag>('!').set_pattern(pattern);
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
