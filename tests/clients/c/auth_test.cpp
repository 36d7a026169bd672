#include "tests/clients/c/fixture.hpp"

using namespace vagus::clients;

namespace {

natsStatus connect(const options& with) {
  natsConnection* raw = nullptr;
  auto status = natsConnection_Connect(&raw, with.get());
  if (status == NATS_OK) status = natsConnection_FlushTimeout(raw, patience_ms);
  natsConnection_Destroy(raw);
  return status;
}

natsStatus connect(const std::string& url) {
  return connect(make_options(url));
}

}  // namespace

TEST_CASE("auth: a user needs the right name and password") {
  server_process server({"--user", "derek", "--pass", "s3cr3t"});
  CHECK(connect(server.url("derek:s3cr3t")) == NATS_OK);
  CHECK(connect(server.url("derek:wrong")) == NATS_CONNECTION_AUTH_FAILED);
  CHECK(connect(server.url("other:s3cr3t")) == NATS_CONNECTION_AUTH_FAILED);
  CHECK(connect(server.url("derek")) == NATS_CONNECTION_AUTH_FAILED);
  CHECK(connect(server.url()) == NATS_CONNECTION_AUTH_FAILED);
}

TEST_CASE("auth: user and password may come from the options") {
  server_process server({"--user", "derek", "--pass", "s3cr3t"});
  auto with = make_options(server.url());
  must(natsOptions_SetUserInfo(with.get(), "derek", "s3cr3t"));
  CHECK(connect(with) == NATS_OK);
}

TEST_CASE("auth: a token must be the right one") {
  server_process server({"--auth", "t0k3n"});
  CHECK(connect(server.url("t0k3n")) == NATS_OK);
  CHECK(connect(server.url("token")) == NATS_CONNECTION_AUTH_FAILED);
  CHECK(connect(server.url("t0k3n:x")) == NATS_CONNECTION_AUTH_FAILED);
  CHECK(connect(server.url()) == NATS_CONNECTION_AUTH_FAILED);
  auto with = make_options(server.url());
  must(natsOptions_SetToken(with.get(), "t0k3n"));
  CHECK(connect(with) == NATS_OK);
}

TEST_CASE("auth: credentials do no harm where none are asked for") {
  server_process server;
  CHECK(connect(server.url("derek:s3cr3t")) == NATS_OK);
  CHECK(connect(server.url("t0k3n")) == NATS_OK);
}

TEST_CASE("auth: those who were let in can talk, and those who were not do no harm") {
  server_process server({"--user", "derek", "--pass", "s3cr3t"});
  client inside(server.url("derek:s3cr3t"));
  auto sub = inside.subscribe("x");
  for (int i = 0; i < 20; ++i) CHECK(connect(server.url()) == NATS_CONNECTION_AUTH_FAILED);
  inside.publish("x", "still here");
  CHECK(sub.next_payload() == "still here");
}
