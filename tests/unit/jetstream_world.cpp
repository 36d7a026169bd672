#include "jetstream_world.hpp"

#include "actors/jetstream/asset_row.hpp"
#include "actors/jetstream/ledger_rows.hpp"
#include "actors/jetstream/recover.hpp"
#include "actors/pinned_actor.hpp"
#include "net/base64.hpp"
#include "storage/batch.hpp"
#include "storage/lmdb_store.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace vagus {

namespace {

/// 2026-01-01T00:00:00Z, when every world begins.
constexpr int64_t the_beginning = 1'767'225'600'000'000'000;

}  // namespace

// ---- jetstream_world ----

jetstream_world::jetstream_world(const options& opts, size_t loops) : world{opts, loops} {
  start_jetstream({});
}

jetstream_world::jetstream_world(const std::string& stream, const std::string& subject,
                                 const std::shared_ptr<message_store>& store)
    : world{} {
  auto config = std::make_shared<stream_config>();
  config->name = stream;
  config->subjects = {subject};
  REQUIRE_FALSE(check_stream_config(*config, {}, false));
  batch_builder first{the_beginning};
  first.add(configure_proposal{limits_of(*config), "{}"});
  REQUIRE_FALSE(store->append(first.bytes()).error);
  start_jetstream({{stream, std::make_shared<stream_record>(config, the_beginning), store}});
}

namespace {

/// The disk is not what is tested.
constexpr std::chrono::hours unsynced{24};

}  // namespace

jetstream_world::~jetstream_world() {
  stop_jetstream();
}

void jetstream_world::start_jetstream(std::vector<recovered_stream> streams) {
  std::chrono::nanoseconds now = scheduler().clock().now().time_since_epoch();
  for (auto& context : contexts()) {
    if (!context->wall_clock_follows) continue;
    context->wall_clock_follows = false;
    context->wall_offset_ns = the_beginning - now.count();
  }
  js_ = std::make_unique<jetstream_context>();
  js_->store_dir = directory_.path();
  js_->server_name = "SERVER";
  js_->sync_interval = unsynced;
  for (auto& context : contexts()) js_->loops.push_back(context.get());
  for (auto* workers : {&js_->workers.writers, &js_->workers.readers, &js_->workers.copiers})
    workers->push_back(system().spawn(storage_worker));
  bool ready = false;
  ended_ = false;
  spawn_pinned<jetstream_state>(system(), contexts()[0]->loop, std::ref(*contexts()[0]),
                                jetstream_start{contexts(),
                                                *js_,
                                                std::move(streams),
                                                {},
                                                [&] { ready = true; },
                                                [this] { ended_ = true; }});
  settle();
  REQUIRE(ready);
}

void jetstream_world::stop_jetstream() {
  if (ended_) return;
  caf::anon_send(js_->api, end_atom::value);
  settle();
  let_retire();
  if (!ended_) {
    fmt::print(stderr, "JetStream of a test has not ended\n");
    std::abort();
  }
  for (auto* workers : {&js_->workers.writers, &js_->workers.readers, &js_->workers.copiers}) {
    for (auto& worker : *workers) caf::anon_send(worker, end_atom::value);
    workers->clear();
  }
  settle();
}

void jetstream_world::restart_jetstream() {
  stop_jetstream();
  start_jetstream(recover_streams(directory_.path(), unsynced).streams);
}

void jetstream_world::restart_with_consumer(const std::string& stream, std::string_view like,
                                            std::string_view name, std::string_view config) {
  stop_jetstream();
  {
    auto store = lmdb_store::open(directory_.path() / stream, stream);
    REQUIRE(store);
    auto state = *(*store->get()->read())->consumer(ledger_row_name(like, 0));
    REQUIRE(state);
    auto state_name = ledger_row_name(name, 0);
    auto row = write_asset_row(1, config);
    batch_builder batch{1};
    batch.add(consumer_put_proposal{name, row}).add(consumer_put_proposal{state_name, *state});
    REQUIRE_FALSE((*store)->append(batch.bytes()).error);
  }
  start_jetstream(recover_streams(directory_.path(), unsynced).streams);
}

int64_t jetstream_world::now_ns() {
  return contexts()[0]->wall_now(scheduler().clock().now());
}

// ---- asker ----

asker::asker(jetstream_world& in, size_t loop) : world_{in}, client_{in, client::usual, loop} {
  hear("R.>", 1);
}

void asker::hear(std::string_view subject, int sid, std::string_view queue) {
  client_.says(fmt::format("SUB {} {} {}\r\n", subject, queue, sid));
}

void asker::unhear(int sid) {
  client_.says(fmt::format("UNSUB {}\r\n", sid));
}

void asker::tell(std::string_view subject, std::string_view payload, std::string_view headers,
                 std::string_view reply) {
  auto size = headers.size() + payload.size();
  auto sizes =
      headers.empty() ? fmt::format("{}", size) : fmt::format("{} {}", headers.size(), size);
  client_.sends(fmt::format("{} {}{}{} {}\r\n{}{}\r\n", headers.empty() ? "PUB" : "HPUB", subject,
                            reply.empty() ? "" : " ", reply, sizes, headers, payload));
}

std::string asker::ask(std::string_view subject, std::string_view payload,
                       std::string_view headers) {
  tell(subject, payload, headers, "R.1");
  world_.settle();
  auto all = answers();
  CHECK(all.size() <= 1);
  return all.empty() ? std::string{} : all.front();
}

std::vector<std::string> asker::answers() {
  std::vector<std::string> result;
  for (auto& m : messages()) result.push_back(m.headers + m.payload);
  return result;
}

namespace {

/// What follows a line MSG or HMSG; moves `rest` behind it.
heard_message take_message(std::string_view line, std::string_view& rest) {
  std::vector<std::string> words;
  std::istringstream in{std::string{line}};
  for (std::string word; in >> word;) words.push_back(word);
  bool with_headers = words.at(0) == "HMSG";
  auto size = std::stoul(words.back());
  auto header_size = with_headers ? std::stoul(words.at(words.size() - 2)) : 0;
  heard_message m;
  m.subject = words.at(1);
  if (words.size() > (with_headers ? 5 : 4)) m.reply = words.at(3);
  m.headers = rest.substr(0, header_size);
  m.payload = rest.substr(header_size, size - header_size);
  rest.remove_prefix(size + 2);
  return m;
}

}  // namespace

std::vector<heard_message> asker::messages() {
  auto all = client_.hears_all();
  std::string_view rest{all};
  std::vector<heard_message> result;
  while (!rest.empty()) {
    auto end = rest.find("\r\n");
    auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line == "PING")
      client_.sends("PONG\r\n");
    else
      result.push_back(take_message(line, rest));
  }
  return result;
}

nlohmann::json asker::api(std::string_view request, std::string_view payload) {
  return nlohmann::json::parse(ask(fmt::format("$JS.API.{}", request), payload));
}

std::string asker::config(std::string_view more) const {
  return fmt::format(R"({{"name":"S","subjects":["s.>"],"storage":"{}"{}}})", storage_, more);
}

void asker::make(std::string_view storage, std::string_view more, place at) {
  storage_ = storage;
  auto answer = api("STREAM.CREATE.S", config(more));
  INFO(at.file_name() << ':' << at.line() << ' ' << answer.dump());
  REQUIRE(error_in(answer) == 0);
}

nlohmann::json asker::change(std::string_view more) {
  return api("STREAM.UPDATE.S", config(more));
}

nlohmann::json asker::state() {
  return api("STREAM.INFO.S").at("state");
}

bool asker::holds(uint64_t seq, std::string_view payload) {
  auto answer = api("STREAM.MSG.GET.S", fmt::format(R"({{"seq":{}}})", seq));
  return error_in(answer) == 0 &&
         answer.at("message").value("data", std::string{}) == base64(payload);
}

// ---- texts ----

std::string header(std::string_view name, std::string_view value) {
  return fmt::format("NATS/1.0\r\n{}: {}\r\n\r\n", name, value);
}

std::string acked(uint64_t seq) {
  return fmt::format(R"({{"stream":"S","seq":{}}})", seq);
}

std::string duplicate_of(uint64_t seq) {
  return fmt::format(R"({{"stream":"S","seq":{},"duplicate": true}})", seq);
}

int error_in(const nlohmann::json& answer) {
  return answer.contains("error") ? answer["error"].at("err_code").get<int>() : 0;
}

int error_in(const std::string& answer) {
  return error_in(nlohmann::json::parse(answer));
}

}  // namespace vagus
