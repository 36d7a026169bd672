#include "actors/jetstream/commit_queue.hpp"

#include <catch2/catch.hpp>

using namespace vagus;

namespace {

constexpr size_t full = 100;

stream_batch_ptr batch_of(size_t payload) {
  stream_batch_ptr made{new stream_batch{1}};
  std::string bytes(payload, 'x');
  store_proposal p;
  p.subject = "s";
  p.payload = bytes;
  made->proposals.add(p);
  return made;
}

}  // namespace

TEST_CASE("commit queue: the storage thread is told of a batch only if it has nothing at hand") {
  commit_queue q;
  CHECK(q.push(batch_of(1)));
  CHECK_FALSE(q.push(batch_of(1)));
  q.take();
  CHECK_FALSE(q.push(batch_of(1)));
  CHECK(q.more());
  q.take();
  CHECK(q.more());
  q.take();
  CHECK_FALSE(q.more());
  CHECK(q.push(batch_of(1)));
}

TEST_CASE("commit queue: batches are taken in the order in which they came") {
  commit_queue q;
  auto first = batch_of(1);
  auto second = batch_of(1);
  q.push(first);
  q.push(second);
  CHECK(q.take() == first);
  CHECK(q.take() == second);
}

TEST_CASE("commit queue: the last batch comes back until it is full or taken") {
  commit_queue q;
  auto first = batch_of(1);
  auto second = batch_of(1);
  q.push(first);
  q.push(second);
  CHECK(q.take_back(full) == second);
  q.push(batch_of(full));
  CHECK(q.take_back(full) == nullptr);
  CHECK(q.take() == first);
  q.take();
  CHECK(q.take_back(full) == nullptr);
}

TEST_CASE("commit queue: a thread that finds its batch taken back is told of the next") {
  commit_queue q;
  auto batch = batch_of(1);
  CHECK(q.push(batch));
  CHECK(q.take_back(full) == batch);
  CHECK_FALSE(q.push(batch));  // it was told already
  CHECK(q.take_back(full) == batch);
  CHECK(q.take() == nullptr);
  CHECK(q.push(batch));
}

TEST_CASE(
    "commit queue: who looks for the next batch stops when it is there, or wanted elsewhere") {
  commit_queue q{std::chrono::hours{1}};
  int looked = 0;
  // It tries now and then, and mostly once that has been worth it.
  for (int i = 0; i < 16; ++i) q.linger([&] { return ++looked > 0; });
  CHECK(looked == 1);
  q.linger([&] {
    q.push(batch_of(1));
    return false;
  });
  CHECK(q.take() != nullptr);
  q.push(batch_of(1));
  q.linger([&] { return ++looked > 0; });
  CHECK(looked == 1);  // there is one at hand
}
