#pragma once

#include "tests/clients/c/fixture.hpp"

#include <cstring>

namespace vagus::clients {

/// A connection with a JetStream context, and a stream of its own to play with.
struct stream_client {
  server_process server{{"-js"}};
  client nc{server.url()};
  jsCtx* js = nullptr;

  stream_client() { must(natsConnection_JetStream(&js, nc.raw(), nullptr)); }
  ~stream_client() { jsCtx_Destroy(js); }
  stream_client(const stream_client&) = delete;
  stream_client& operator=(const stream_client&) = delete;

  /// Makes the stream S of the subjects s.>; `set` changes its configuration.
  template <class F>
  void make(F&& set) const {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char* subjects[] = {"s.>"};
    config.Name = "S";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    set(config);
    jsErrCode code{};
    must(js_AddStream(nullptr, js, &config, nullptr, &code));
  }
  void make() const {
    make([](jsStreamConfig&) {});
  }

  struct ack {
    natsStatus status = NATS_OK;
    jsErrCode error{};
    uint64_t seq = 0;
    bool duplicate = false;
  };

  ack publish(const char* subject, const char* text, jsPubOptions* how = nullptr) const {
    ack result;
    jsPubAck* got = nullptr;
    result.status =
        js_Publish(&got, js, subject, text, static_cast<int>(strlen(text)), how, &result.error);
    if (got != nullptr) {
      result.seq = got->Sequence;
      result.duplicate = got->Duplicate;
    }
    jsPubAck_Destroy(got);
    return result;
  }

  struct state {
    uint64_t msgs, first, last;
    int64_t subjects;
  };
  state info() const {
    jsStreamInfo* si = nullptr;
    jsErrCode code{};
    must(js_GetStreamInfo(&si, js, "S", nullptr, &code));
    state result{si->State.Msgs, si->State.FirstSeq, si->State.LastSeq, si->State.NumSubjects};
    jsStreamInfo_Destroy(si);
    return result;
  }

  std::string stored(uint64_t seq) const {
    natsMsg* m = nullptr;
    jsErrCode code{};
    if (js_GetMsg(&m, js, "S", seq, nullptr, &code) != NATS_OK) return {};
    return payload_of(message{m});
  }
};

}  // namespace vagus::clients
