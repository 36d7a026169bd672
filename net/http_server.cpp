#include "net/http_server.hpp"

#include "net/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/chrono.h>

#include <optional>
#include <set>
#include <vector>

namespace vagus {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

namespace {

/// For the next request to be there, from the answer to the one before.
constexpr std::chrono::seconds idle_limit{30};
/// For an answer to be taken.
constexpr std::chrono::minutes write_limit{2};
/// Until accepting is tried again after it failed.
constexpr std::chrono::seconds accept_pause{1};

std::string http_date() {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr)));
}

http::status status_for(const beast::error_code& failed) {
  if (failed == http::error::header_limit) return http::status::request_header_fields_too_large;
  if (failed == http::error::body_limit) return http::status::payload_too_large;
  return http::status::bad_request;
}

}  // namespace

struct http_server::shared {
  event_loop& loop;
  std::unique_ptr<listener> bound;
  boost::asio::steady_timer retry;
  handler on_request;           ///< empty: stopped
  std::set<session*> sessions;  ///< kept alive by what they wait for
};

/// One connection: reads a request, waits for its answer, writes it, and so on.
class http_server::session : public std::enable_shared_from_this<session> {
public:
  session(tcp::socket socket, std::shared_ptr<shared> in)
      : stream_{std::move(socket)}, shared_{std::move(in)} {
    shared_->sessions.insert(this);
  }
  ~session() { shared_->sessions.erase(this); }

  void read() {
    parser_.emplace();
    parser_->header_limit(max_header);
    parser_->body_limit(max_body);
    stream_.expires_after(idle_limit);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const beast::error_code& failed, size_t) {
                       self->on_read(failed);
                     });
  }

  void close() {
    closed_ = true;
    stream_.close();
  }

private:
  void on_read(const beast::error_code& failed) {
    if (closed_ || !shared_->on_request) return;
    if (failed) {
      // What is no HTTP is told so; a client that has gone, or is silent, is not.
      bool malformed = failed.category() == make_error_code(http::error::bad_method).category();
      if (malformed && failed != http::error::end_of_stream &&
          failed != http::error::partial_message)
        refuse(status_for(failed));
      return;
    }
    stream_.expires_never();
    const auto& request = parser_->get();
    std::string target{request.target().data(), request.target().size()};
    try {
      shared_->on_request(target, [self = shared_from_this()](http_answer a) {
        if (!self->closed_) self->answer(std::move(a), self->parser_->get().keep_alive());
      });
    } catch (const std::exception& e) {
      log_error("monitoring: closing a connection after an internal error: {}", e.what());
      close();
    }
  }

  void refuse(http::status status) {
    auto text = http::obsolete_reason(status);
    http_answer a{static_cast<unsigned>(status)};
    a.body = fmt::format("{} {}", a.status, std::string_view{text.data(), text.size()});
    answer(std::move(a), false);
  }

  void answer(http_answer a, bool keep_alive) {
    const auto& request = parser_->get();
    response_ = {};
    response_.version(request.version() == 10 ? 10 : 11);
    response_.result(a.status);
    response_.set(http::field::content_type, a.content_type);
    response_.set(http::field::date, http_date());
    if (a.any_origin) response_.set(http::field::access_control_allow_origin, "*");
    if (a.status == 404) response_.set("X-Content-Type-Options", "nosniff");
    response_.keep_alive(keep_alive);
    response_.content_length(a.body.size());
    if (request.method() != http::verb::head) response_.body() = std::move(a.body);
    stream_.expires_after(write_limit);
    http::async_write(
        stream_, response_,
        [self = shared_from_this(), keep_alive](const beast::error_code& failed, size_t) {
          self->on_written(failed, keep_alive);
        });
  }

  void on_written(const beast::error_code& failed, bool keep_alive) {
    response_.body() = {};
    if (failed || closed_) return;
    if (keep_alive) {
      read();
      return;
    }
    beast::error_code ignored;  // the client may have gone already
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  std::shared_ptr<shared> shared_;
  beast::flat_buffer buffer_{max_header + max_body};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool closed_ = false;
};

http_server::http_server(event_loop& on, std::unique_ptr<listener> bound)
    : shared_{new shared{on, std::move(bound), boost::asio::steady_timer{on.io()}, {}, {}}} {}

http_server::~http_server() {
  stop();
}

void http_server::start(handler on_request) {
  shared_->on_request = std::move(on_request);
  accept(shared_);
}

/// The listener and what it calls hold each other until stop().
void http_server::accept(const std::shared_ptr<shared>& s) {
  s->bound->accept_here(
      [s](event_loop&, tcp::socket socket) {
        // One too many is closed at once.
        if (s->sessions.size() < max_connections)
          std::make_shared<session>(std::move(socket), s)->read();
      },
      [s](const boost::system::error_code& why) {
        log_debug("monitoring: cannot accept: {}", why.message());
        s->retry.expires_after(accept_pause);
        s->retry.async_wait([s](const boost::system::error_code& failed) {
          if (!failed && s->bound) accept(s);
        });
      });
}

void http_server::stop() {
  auto& s = *shared_;
  if (!s.bound) return;
  s.on_request = nullptr;
  s.retry.cancel();
  s.bound->stop();
  std::vector<std::shared_ptr<session>> open;
  for (auto* each : s.sessions) open.push_back(each->shared_from_this());
  for (auto& each : open) each->close();
  // A socket that was accepted just now is still on its way through the listener.
  boost::asio::post(s.loop.io(), [kept = std::shared_ptr{std::move(s.bound)}] {});
}

}  // namespace vagus
