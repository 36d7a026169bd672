#pragma once

#include "net/event_loop.hpp"
#include "net/listener.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vagus {

struct http_answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool any_origin = false;  ///< pages of any site may read it
};

/// A small HTTP/1.1 server on one event loop, for monitoring: any method is answered like GET, and
/// request bodies are thrown away. All members but the constructor belong to the loop's thread.
///
/// Bounded: so many connections, so large a header and a body, so long until a request is there.
class http_server {
public:
  /// Sends the answer. To be called once, now or later, on the loop's thread; does nothing once the
  /// connection or the server is gone. If it is dropped uncalled, the connection closes.
  using respond = std::function<void(http_answer)>;
  /// @param target of the request, as it was sent: path and query
  using handler = std::function<void(std::string_view target, respond)>;

  http_server(event_loop& on, std::unique_ptr<listener> bound);
  ~http_server();

  void start(handler on_request);

  /// Stops listening and closes every connection. The handler is not called any more.
  void stop();

  static constexpr size_t max_connections = 512;
  static constexpr size_t max_header = 16 * 1024;
  static constexpr size_t max_body = 64 * 1024;

private:
  class session;
  struct shared;

  static void accept(const std::shared_ptr<shared>& s);

  std::shared_ptr<shared> shared_;
};

}  // namespace vagus
