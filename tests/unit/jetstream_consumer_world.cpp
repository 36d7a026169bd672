#include "jetstream_consumer_world.hpp"

#include "actors/jetstream/consumer_requests.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace vagus {

namespace {

/// Shorter than after what a client is taken for dead that answers no PING.
constexpr std::chrono::seconds longest_silence{60};

std::string status_of(std::string_view headers) {
  constexpr std::string_view version = "NATS/1.0 ";
  if (!headers.starts_with(version)) return {};
  return std::string{headers.substr(version.size(), headers.find("\r\n") - version.size())};
}

}  // namespace

std::string consumer_bench::config(std::string_view more) const {
  auto given = [more](std::string_view name) { return more.find(name) != std::string_view::npos; };
  return fmt::format(R"({{"stream_name":"S","config":{{{}{}{}}}}})",
                     given("\"name\"") ? R"("num_replicas":0)" : R"("durable_name":"C")",
                     given("\"ack_policy\"") ? "" : R"(,"ack_policy":"explicit")", more);
}

nlohmann::json consumer_bench::make(std::string_view more, place at) {
  auto answer = update(more);
  INFO(at.file_name() << ':' << at.line() << ' ' << answer.dump());
  REQUIRE(error_in(answer) == 0);
  return answer;
}

nlohmann::json consumer_bench::update(std::string_view more) {
  return api("CONSUMER.CREATE.S.C", config(more));
}

nlohmann::json consumer_bench::info(std::string_view consumer) {
  return api(fmt::format("CONSUMER.INFO.S.{}", consumer));
}

void consumer_bench::publish(size_t count, std::string_view subject) {
  for (size_t i = 0; i < count; ++i) c.tell(subject, "x");
  world.settle();
}

void consumer_bench::next(std::string_view body, std::string_view reply) {
  c.tell("$JS.API.CONSUMER.MSG.NEXT.S.C", body, {}, reply);
  world.settle();
}

std::string consumer_bench::pulls(std::string_view body) {
  next(body);
  return heard();
}

nlohmann::json consumer_bench::api(std::string_view request, std::string_view payload) {
  collect();
  api_answer_.clear();
  c.tell(fmt::format("$JS.API.{}", request), payload, {}, "R.api");
  world.settle();
  collect();
  INFO(request);
  REQUIRE_FALSE(api_answer_.empty());
  return nlohmann::json::parse(api_answer_);
}

void consumer_bench::collect() {
  for (const auto& m : c.messages()) {
    if (m.subject == "R.api") {
      api_answer_ = m.payload;
      continue;
    }
    if (!words_.empty()) words_ += ' ';
    words_ += word_of(m);
  }
}

std::string consumer_bench::heard() {
  collect();
  return std::exchange(words_, {});
}

std::string consumer_bench::heard_after(std::chrono::nanoseconds time) {
  wait(time);
  return heard();
}

void consumer_bench::wait(std::chrono::nanoseconds time) {
  while (time.count() > 0) {
    auto step = std::min<std::chrono::nanoseconds>(time, longest_silence);
    world.advance(step);
    world.let_retire();
    collect();
    world.settle();
    time -= step;
  }
}

std::string consumer_bench::word_of(const heard_message& m) {
  std::string word = m.subject;
  if (auto to = read_ack_subject(m.reply)) {
    word = std::to_string(to->stream_seq);
    if (to->deliveries > 1) word += fmt::format("#{}", to->deliveries);
    ack_subjects_[to->stream_seq] = m.reply;
    told_pending_ = std::stoull(m.reply.substr(m.reply.rfind('.') + 1));
  } else if (auto status = status_of(m.headers); !status.empty()) {
    word = fmt::format("<{}>", status);
  }
  last_[word] = m;
  return word;
}

void consumer_bench::answer(uint64_t seq, std::string_view with, std::string_view reply) {
  collect();
  c.tell(ack_subjects_.at(seq), with, {}, reply);
  world.settle();
}

void consumer_bench::answer_delivery(uint64_t seq, uint64_t consumer_seq, uint64_t deliveries,
                                     std::string_view with, std::string_view reply) {
  c.tell(fmt::format("$JS.ACK.S.C.{}.{}.{}.1767225600000000000.0", deliveries, seq, consumer_seq),
         with, {}, reply);
  world.settle();
}

bool consumer_bench::confirmed(uint64_t seq, std::string_view with) {
  answer(seq, with, "R.ack");
  auto before = words_.size();
  collect();
  bool came = words_.substr(before).find("R.ack") != std::string::npos;
  words_.resize(before);
  return came;
}

std::string member(std::string_view name, std::chrono::nanoseconds value) {
  return fmt::format(R"(,"{}":{})", name, value.count());
}

// ---- fragile_store ----

applied fragile_store::append(std::string_view batch) {
  // So many that whoever does not leave it alone has an end.
  bool worn_down = ++appends > 10'000;
  if (worn_down || (!failing_ && !stopped_)) return store_.append(batch);
  if (!stopped_) stopped_ = failing_;
  applied result;
  result.error = stopped_;
  return result;
}

store_error fragile_store::retry() {
  ++retries;
  if (!failing_) stopped_ = {};
  return stopped_;
}

}  // namespace vagus
