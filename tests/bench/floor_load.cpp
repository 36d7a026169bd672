#include "floor_load.hpp"

#include <sys/socket.h>
#include <thread>

namespace vagus::bench {

phase run_through_relay(const server_process& relay, const options& how, size_t payload,
                        double seconds) {
  const topology what = one_to_one(payload);
  connection publisher(relay.port());
  subscriber reader(connection(relay.port()), what.shape, {});
  const chunk data(what.subjects, payload, how.chunk);
  phase result;
  const double server_before = relay.cpu_seconds();
  const double load_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady::now();
  std::string error;
  std::thread reading([&] {
    try {
      reader.read_until_closed();
    } catch (const failure& e) {
      error = e.what();
    }
  });
  while (seconds_between(begin, steady::now()) < seconds) {
    publisher.send(data.bytes());
    result.published += data.frames();
  }
  shutdown(publisher.fd(), SHUT_WR);
  reading.join();
  result.seconds = seconds_between(begin, steady::now());
  result.server_cpu = relay.cpu_seconds() - server_before;
  result.load_cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - load_before;
  result.delivered = reader.received();
  if (!error.empty()) throw failure(error);
  if (result.delivered != result.published) throw failure("the relay lost messages");
  return result;
}

}  // namespace vagus::bench
