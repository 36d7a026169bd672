#include "get_load.hpp"

#include "jetstream.hpp"
#include "meter.hpp"
#include "one_in_flight.hpp"

#include <algorithm>
#include <numeric>

namespace vagus::bench {

namespace {

constexpr std::string_view end_of_batch = "NATS/1.0 204";

std::string seq_request(uint64_t sequence) {
  return "{\"seq\":" + std::to_string(sequence) + "}";
}

std::string shown(const incoming& message) {
  return std::string(message.headers) + std::string(message.payload);
}

}  // namespace

stream_reader::stream_reader(uint16_t port, unsigned index, uint64_t messages, size_t payload)
    : inbox_(inbox_of(index)),
      link_(connection::client(port)),
      reader_(link_),
      messages_(messages),
      payload_(payload),
      random_(index) {
  link_.send("SUB " + inbox_ + "* 1\r\n");
}

std::string stream_reader::request(const std::string& subject, const std::string& payload) {
  reply_ = inbox_ + std::string(token_size, '0');
  write_token(reply_.data() + inbox_.size(), ++token_);
  return "PUB " + subject + " " + reply_ + " " + std::to_string(payload.size()) + "\r\n" + payload +
         "\r\n";
}

void stream_reader::check(const incoming& message, uint64_t sequence) const {
  const std::string wanted = "\r\nNats-Sequence: " + std::to_string(sequence) + "\r\n";
  if (message.subject != reply_ || message.payload.size() != payload_ ||
      !message.headers.starts_with("NATS/1.0\r\n") ||
      message.headers.find(wanted) == std::string_view::npos)
    throw failure("not message " + std::to_string(sequence) + ": " + shown(message));
}

void stream_reader::ask() {
  asked_ = 1 + random_() % messages_;
  link_.send(request("$JS.API.DIRECT.GET.BENCH", seq_request(asked_)));
}

bool stream_reader::answered() {
  reader_.fill();
  incoming message;
  if (!reader_.next(message)) return false;
  check(message, asked_);
  return true;
}

void stream_reader::get_batch(uint64_t count) {
  uint64_t sequence = 1 + random_() % (messages_ - count + 1);
  link_.send(request("$JS.API.DIRECT.GET.BENCH", "{\"batch\":" + std::to_string(count) +
                                                     ",\"seq\":" + std::to_string(sequence) + "}"));
  for (uint64_t i = 0; i < count; ++i) check(reader_.wait(), sequence++);
  const incoming last = reader_.wait();
  if (!last.headers.starts_with(end_of_batch)) throw failure("no end of the batch: " + shown(last));
}

void stream_reader::remove(const std::vector<uint64_t>& sequences, size_t in_flight) {
  size_t sent = 0, done = 0;
  while (done < sequences.size()) {
    std::string out;
    for (; sent < sequences.size() && sent - done < in_flight; ++sent)
      out += request("$JS.API.STREAM.MSG.DELETE.BENCH",
                     "{\"seq\":" + std::to_string(sequences[sent]) + ",\"no_erase\":true}");
    link_.send(out);
    incoming message;
    for (reader_.fill(); reader_.next(message); ++done)
      if (message.payload.find("\"success\":true") == std::string_view::npos)
        throw failure("not deleted: " + shown(message));
  }
}

sample measure_gets(const server_process& server, double seconds, unsigned clients,
                    uint64_t messages, size_t payload) {
  std::vector<std::unique_ptr<stream_reader>> readers;
  for (unsigned i = 0; i < clients; ++i)
    readers.push_back(std::make_unique<stream_reader>(server.port(), i, messages, payload));
  return one_in_flight(server, seconds, readers);
}

sample measure_batches(const server_process& server, double seconds, uint64_t batch,
                       uint64_t messages, size_t payload) {
  stream_reader reader(server.port(), 0, messages, payload);
  uint64_t count = 0;
  meter metered(server);
  do {
    reader.get_batch(batch);
    count += batch;
  } while (metered.before(seconds));
  return metered.per(count);
}

sample measure_deletes(const server_process& server, uint64_t count, size_t payload) {
  std::vector<uint64_t> sequences(2 * count - 2);
  std::iota(sequences.begin(), sequences.end(), 2);
  std::shuffle(sequences.begin(), sequences.end(), std::mt19937_64(42));
  sequences.resize(count);
  stream_reader reader(server.port(), 0, 2 * count, payload);
  meter metered(server);
  reader.remove(sequences, 1000);
  const sample result = metered.per(count);
  api_client api(server.port());
  if (api.state("BENCH", "messages") != count || api.state("BENCH", "last_seq") != 2 * count)
    throw failure("other messages than those were deleted");
  return result;
}

}  // namespace vagus::bench
