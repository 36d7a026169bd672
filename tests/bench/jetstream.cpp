#include "jetstream.hpp"

#include "common.hpp"

#include <cstdio>
#include <thread>

namespace vagus::bench {

namespace {

constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

uint64_t digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint64_t>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<uint64_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'Z') return static_cast<uint64_t>(c - 'A') + 36;
  throw failure(std::string("not of a reply subject: ") + c);
}

void check_created(const std::string& answer) {
  if (answer.find("\"config\":") == std::string::npos)
    throw failure(answer.empty() ? "the server has no JetStream" : "not created: " + answer);
}

}  // namespace

std::string inbox_of(unsigned index) {
  char text[40];
  std::snprintf(text, sizeof text, "_INBOX.Xq7RkTz0aLm3Vw9c%06u.", index);
  return text;
}

void write_token(char* to, uint64_t token) {
  for (size_t i = token_size; i-- > 0; token /= 62) to[i] = digits[token % 62];
}

uint64_t read_token(std::string_view text) {
  uint64_t token = 0;
  for (char c : text) token = token * 62 + digit(c);
  return token;
}

bool find_number(std::string_view json, std::string_view name, uint64_t& value) {
  std::string key(1, '"');
  key.append(name).append("\":");
  const size_t at = json.find(key);
  if (at == std::string_view::npos) return false;
  size_t i = json.find_first_not_of(' ', at + key.size());
  value = 0;
  const size_t first = i;
  for (; i < json.size() && json[i] >= '0' && json[i] <= '9'; ++i)
    value = value * 10 + static_cast<uint64_t>(json[i] - '0');
  return i > first;
}

api_client::api_client(uint16_t port)
    : link_(connection::client(port)), reader_(link_), inbox_(inbox_of(999'999)) {
  link_.send("SUB " + inbox_ + "* 1\r\n");
}

std::string api_client::request(const std::string& subject, std::string_view payload) {
  const std::string reply = inbox_ + std::to_string(++token_);
  link_.send("PUB " + subject + " " + reply + " " + std::to_string(payload.size()) + "\r\n" +
             std::string(payload) + "\r\n");
  const incoming answer = reader_.wait();
  if (answer.subject != reply) throw failure("not the answer: " + std::string(answer.subject));
  return std::string(answer.payload);
}

void api_client::create(const stream_setup& what) {
  const std::string answer = request(
      "$JS.API.STREAM.CREATE." + what.name,
      "{\"name\":\"" + what.name + "\",\"subjects\":[\"" + what.subjects + "\"],\"storage\":\"" +
          (what.memory ? "memory" : "file") + "\",\"retention\":\"" + what.retention +
          "\",\"discard\":\"old\",\"max_consumers\":-1,\"max_msgs\":-1,"
          "\"max_bytes\":-1,\"max_age\":0,\"num_replicas\":1,\"allow_direct\":true}");
  check_created(answer);
}

void api_client::create_bucket(const std::string& bucket) {
  const std::string name = "KV_" + bucket;
  check_created(request(
      "$JS.API.STREAM.CREATE." + name,
      "{\"name\":\"" + name + "\",\"subjects\":[\"$KV." + bucket +
          ".>\"],\"retention\":\"limits\",\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,"
          "\"discard\":\"new\",\"max_age\":0,\"max_msgs_per_subject\":1,\"max_msg_size\":-1,"
          "\"storage\":\"file\",\"num_replicas\":1,\"duplicate_window\":120000000000,"
          "\"deny_delete\":true,\"allow_rollup_hdrs\":true,\"allow_direct\":true}"));
}

void api_client::create_consumer(const std::string& stream, const std::string& name,
                                 const std::string& config, const std::string& filter) {
  std::string subject = "$JS.API.CONSUMER.CREATE." + stream + "." + name;
  std::string text = "{\"stream_name\":\"" + stream + "\",\"config\":{\"name\":\"" + name + "\"," +
                     config + ",\"replay_policy\":\"instant\"";
  if (!filter.empty()) {
    subject += "." + filter;
    text += ",\"filter_subject\":\"" + filter + "\"";
  }
  check_created(request(subject, text + "},\"action\":\"create\"}"));
}

consumer_state api_client::consumer(const std::string& stream, const std::string& name) {
  const std::string answer = request("$JS.API.CONSUMER.INFO." + stream + "." + name);
  const auto number = [&](std::string_view object, std::string_view field) {
    const size_t at = answer.find(object);
    uint64_t value = 0;
    if (at == std::string::npos || !find_number(std::string_view(answer).substr(at), field, value))
      throw failure("not the info of a consumer: " + answer);
    return value;
  };
  return {number("\"delivered\":", "consumer_seq"), number("\"delivered\":", "stream_seq"),
          number("\"ack_floor\":", "stream_seq"),   number("{", "num_ack_pending"),
          number("{", "num_redelivered"),           number("{", "num_pending")};
}

consumer_state api_client::await_acknowledged(const std::string& stream, const std::string& name) {
  constexpr auto limit = std::chrono::seconds{20};
  for (const auto begin = steady::now(); steady::now() - begin < limit;) {
    const consumer_state now = consumer(stream, name);
    if (now.ack_pending == 0) return now;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  throw failure("acknowledgements are not counted");
}

void api_client::remove_consumer(const std::string& stream, const std::string& name) {
  const std::string answer = request("$JS.API.CONSUMER.DELETE." + stream + "." + name);
  if (answer.find("\"success\":true") == std::string::npos)
    throw failure("the consumer was not deleted: " + answer);
}

uint64_t api_client::state(const std::string& stream, const std::string& field) {
  const std::string answer = request("$JS.API.STREAM.INFO." + stream);
  uint64_t value = 0;
  const size_t state = answer.find("\"state\":");
  if (state == std::string::npos) throw failure("no state of the stream: " + answer);
  find_number(std::string_view(answer).substr(state), field, value);
  return value;
}

void api_client::await_messages(const std::string& stream, uint64_t messages,
                                std::chrono::seconds limit) {
  for (const auto begin = steady::now(); steady::now() - begin < limit;) {
    const std::string answer = request("$JS.API.STREAM.INFO." + stream);
    uint64_t have = 0;
    if (find_number(answer, "messages", have)) {
      if (have == messages) return;
      throw failure("the stream has " + std::to_string(have) + " messages in place of " +
                    std::to_string(messages));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  throw failure("the stream does not open");
}

}  // namespace vagus::bench
