#pragma once

#include <boost/asio/io_context.hpp>

namespace vagus {

/// The epoll descriptor in which an io_context waits for its sockets and timers. It is readable
/// when poll() would find something there, so that the context can be one descriptor among others
/// in an epoll of our own. What is only queued (post, operations that end at once) does not show.
int asio_descriptor(boost::asio::io_context& io);

}  // namespace vagus
