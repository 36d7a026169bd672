#include "actors/jetstream/source_header.hpp"

#include <catch2/catch.hpp>

using namespace vagus;

namespace {

stream_source from(std::string name, std::string filter = {}) {
  stream_source s;
  s.name = std::move(name);
  s.filter_subject = std::move(filter);
  return s;
}

stream_source transformed(std::string name, std::vector<subject_transform_config> transforms) {
  auto s = from(std::move(name));
  s.subject_transforms = std::move(transforms);
  return s;
}

stream_source outside(stream_source s, std::string api) {
  s.external = external_stream{std::move(api), "dlv"};
  return s;
}

/// One that nats-server 2.15.1 wrote, from whom, and to what.
struct recorded {
  stream_source source;
  std::string value;
  uint64_t seq;
  std::string subject;
  std::string identity;
};

const std::vector<recorded>& of_the_peer() {
  static const std::vector<recorded> all{
      {from("A"), "A 3 > > a.3.x oD3Qek9g", 3, "a.3.x", "oD3Qek9g"},
      {from("A", "a.1"), "A 1 a.1 > a.1 oD3Qek9g", 1, "a.1", "oD3Qek9g"},
      {from("A", ">"), "A 2 > > a.2 75kEjQXb", 2, "a.2", "75kEjQXb"},
      {transformed("A", {{"a.*", "x.$1"}}), "A 2 a.* x.$1 a.2 oD3Qek9g", 2, "a.2", "oD3Qek9g"},
      {transformed("A", {{"a.1", "x.{{partition(3,1)}}"}, {"a.2", ""}, {"a.*.x", "y.$1"}}),
       "A 1 a.1\fa.2\fa.*.x x.{{partition(3,1)}}\f>\fy.$1 a.1 oD3Qek9g", 1, "a.1", "oD3Qek9g"},
      {transformed("A", {{"a.2", "t2"}, {"a.1", "a.1"}}), "A 1 a.2\fa.1 t2\fa.1 a.1 oD3Qek9g", 1,
       "a.1", "oD3Qek9g"},
      {outside(from("A"), "far.API"), "A:OCCanunv 7 > > a.8 J0VHogGU", 7, "a.8", "J0VHogGU"},
      {outside(transformed("B", {{"b.*", "z.$1"}}), "far.API"),
       "B:OCCanunv 1 b.* z.$1 b.1 bjLU2L0A", 1, "b.1", "bjLU2L0A"},
      {from("\u00e4"), "\u00e4 1 > > ae LsgmD4G4", 1, "ae", "LsgmD4G4"},
  };
  return all;
}

}  // namespace

TEST_CASE("source header: written as by the peer") {
  for (const auto& r : of_the_peer()) {
    CAPTURE(r.value);
    CHECK(source_header(source_name(r.source), r.seq, r.subject, r.identity) ==
          "Nats-Stream-Source: " + r.value + "\r\n");
  }
  CHECK(source_header("A > >", 4, "a") == "Nats-Stream-Source: A 4 > > a\r\n");
}

TEST_CASE("source header: the headers of a sourced message") {
  const std::string line = "Nats-Stream-Source: B 1 > > a.1\r\n";
  CHECK(sourced_headers("", line) == "NATS/1.0\r\n" + line + "\r\n");
  CHECK(sourced_headers("NATS/1.0\r\nK: V\r\nNats-Msg-Id: 7\r\nNats-Stream-Source: A 2 > > a.2\r\n"
                        "Nats-Rollup: sub\r\nNats-Expected-Stream: A\r\nNats-TTL: 100s\r\n\r\n",
                        line) ==
        "NATS/1.0\r\nK: V\r\nNats-Msg-Id: 7\r\nNats-Rollup: sub\r\nNats-TTL: 100s\r\n" + line +
            "\r\n");
  CHECK(sourced_headers("NATS/1.0\r\nK: V", line) == "NATS/1.0\r\n" + line + "\r\n");
}

TEST_CASE("source header: the headers of a mirrored message") {
  CHECK(mirrored_headers("") == "");
  CHECK(mirrored_headers("NATS/1.0\r\nNats-Expected-Last-Msg-Id: \r\n\r\n") == "");
  CHECK(mirrored_headers("NATS/1.0\r\nNats-Expected-Foo: A\r\nx: 1\r\n"
                         "Nats-Stream-Source: A 2 > > a.2\r\n\r\n") ==
        "NATS/1.0\r\nx: 1\r\nNats-Stream-Source: A 2 > > a.2\r\n\r\n");
}

TEST_CASE("source header: where a source begins") {
  auto s = from("A");
  CHECK(start_of(s, 0) == source_start{});
  CHECK(start_of(s, 4) == source_start{5, std::nullopt});
  s.opt_start_time = 77;
  CHECK(start_of(s, 0) == source_start{0, 77});
  CHECK(start_of(s, 4) == source_start{5, std::nullopt});
  s.opt_start_seq = 3;
  CHECK(start_of(s, 0) == source_start{3, std::nullopt});
  CHECK(start_of(s, 1) == source_start{3, std::nullopt});
}

TEST_CASE("sourced subject: the first transform that takes it") {
  sourced_subject some{transformed("A", {{"a.1", "x.one"}, {"a.2", ""}, {"a.*.x", "y.$1"}})};
  CHECK(some.apply("a.1") == "x.one");
  CHECK(some.apply("a.2") == "a.2");
  CHECK(some.apply("a.3.x") == "y.3");
  CHECK(some.apply("b") == "b");
  CHECK(sourced_subject{from("A")}.apply("a.1") == "a.1");
}

TEST_CASE("source header: a stream that is made anew calls itself otherwise") {
  CHECK(stream_identity("A", 1) == stream_identity("A", 1));
  CHECK(stream_identity("A", 1).size() == 8);
  CHECK(stream_identity("A", 1) != stream_identity("A", 2));
  CHECK(stream_identity("A", 1) != stream_identity("B", 1));
}
