#pragma once

#include "cases.hpp"
#include "common.hpp"
#include "connection.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace vagus::bench {

/// A client that asks as modern clients do: one wildcard subscription on its inbox, and a new reply
/// subject below it for each request. One request is in flight at a time.
class requester {
public:
  requester(uint16_t port, unsigned index);

  void ask();

  /// Reads once; true when the answer to the last `ask()` is complete. Fails on any other message.
  bool answered();

  int fd() const { return link_.fd(); }

private:
  connection link_;
  std::string request_;
  size_t token_at_ = 0;
  std::string expected_;  ///< the header of the answer
  size_t expected_token_at_ = 0;
  uint64_t token_ = 0;
  std::string received_;
};

/// Answers each request with its own payload, all that one read brought in one write.
class responder {
public:
  explicit responder(uint16_t port);
  ~responder();

  /// Empty, or why it stopped answering.
  std::string error() const { return failed_ ? error_ : ""; }

private:
  void serve();
  size_t answer(std::string_view received, std::string& out);

  connection link_;
  std::atomic<bool> stopping_ = false, failed_ = false;
  std::string error_;
  std::thread thread_;
};

/// Requesters on the calling thread and a responder on its own.
class request_load {
public:
  request_load(const server_process& server, unsigned requesters);
  ~request_load();

  /// Requests for `seconds`, and until the last is answered.
  sample run(double seconds);

private:
  uint64_t run_one(steady::time_point until);
  uint64_t run_many(steady::time_point until);

  const server_process& server_;
  responder responder_;
  std::vector<requester> requesters_;
  int epoll_ = -1;
};

}  // namespace vagus::bench
