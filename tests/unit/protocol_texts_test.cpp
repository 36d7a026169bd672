#include "net/nkey.hpp"
#include "net/protocol/connect.hpp"
#include "net/protocol/redact.hpp"
#include "net/protocol/server_info.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace vagus;

namespace {

server_info some_server() {
  server_info s;
  s.server_id = "NID";
  s.server_name = "name";
  s.version = "2.15.1";
  s.host = "0.0.0.0";
  s.port = 4222;
  s.max_payload = 1000;
  return s;
}

nlohmann::json info_of(const std::string& line) {
  REQUIRE(line.substr(0, 5) == "INFO ");
  REQUIRE(line.substr(line.size() - 3) == " \r\n");
  return nlohmann::json::parse(line.substr(5));
}

}  // namespace

// ---- CONNECT ----

TEST_CASE("connect: what the JSON does not say stays as it is") {
  connect_options o;
  REQUIRE(apply_connect("{}", o));
  CHECK((o.verbose && o.pedantic && o.echo));
  CHECK((!o.headers && !o.no_responders && o.protocol == 0));
  REQUIRE(apply_connect(R"({"verbose":false,"user":"a"})", o));
  REQUIRE(apply_connect(R"({"pass":"b"})", o));
  CHECK_FALSE(o.verbose);
  CHECK(o.user == "a");
  CHECK(o.pass == "b");
}

TEST_CASE("connect: every key that is known is read, in any case") {
  connect_options o;
  REQUIRE(apply_connect(
      R"({"VERBOSE":false,"pedantic":false,"Echo":false,"headers":true,"no_responders":true,
          "protocol":1,"name":"n","lang":"c++","version":"1","user":"u","pass":"p",
          "auth_token":"t","account":"acc","new_account":true})",
      o));
  CHECK((!o.verbose && !o.pedantic && !o.echo && o.headers && o.no_responders && o.new_account));
  CHECK(o.protocol == 1);
  CHECK(o.name + o.lang + o.version + o.user + o.pass + o.auth_token + o.account == "nc++1uptacc");
}

TEST_CASE("connect: unknown keys and null are passed over") {
  connect_options o;
  CHECK(apply_connect(R"({"something":[1,{"a":2}],"user":null,"verbose":null})", o));
  CHECK(o.verbose);
  CHECK(apply_connect("null", o));
}

TEST_CASE("connect: what is no object, or has a value of the wrong type, is refused") {
  for (const char* bad :
       {"", "{", "[]", "1", "\"a\"", "{\"verbose\":1}", "{\"user\":true}", "{\"protocol\":1.5}",
        "{\"protocol\":\"1\"}", "{} {}", "{\"a\":}", "{\"user\":\"\xff\"}", "{'a':1}"}) {
    CAPTURE(bad);
    connect_options o;
    CHECK_FALSE(apply_connect(bad, o));
  }
}

TEST_CASE("connect: numbers out of range do not become good ones") {
  for (const char* number : {"4294967296", "18446744073709551615", "-4294967295", "4294967297"}) {
    CAPTURE(number);
    connect_options o;
    if (apply_connect("{\"protocol\":" + std::string{number} + "}", o))
      CHECK((o.protocol < 0 || o.protocol > 1));
  }
}

TEST_CASE("connect: JSON as deep as a long line allows does no harm") {
  connect_options o;
  CHECK_FALSE(apply_connect(std::string(1'000'000, '['), o));
  auto deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  CHECK(apply_connect(deep, o));
}

TEST_CASE("connect: an object is told from other JSON") {
  CHECK(is_json_object("{\"a\":1}"));
  CHECK_FALSE(is_json_object("[1]"));
  CHECK_FALSE(is_json_object("{"));
  CHECK_FALSE(is_json_object(""));
}

// ---- INFO ----

TEST_CASE("server_info: what clients read in INFO") {
  auto info = info_of(info_line(some_server(), 7, "127.0.0.1"));
  CHECK(info["server_id"] == "NID");
  CHECK(info["server_name"] == "name");
  CHECK(info["version"] == "2.15.1");
  CHECK(info["proto"] == 1);
  CHECK(info["host"] == "0.0.0.0");
  CHECK(info["port"] == 4222);
  CHECK(info["headers"] == true);
  CHECK(info["max_payload"] == 1000);
  CHECK(info["client_id"] == 7);
  CHECK(info["client_ip"] == "127.0.0.1");
}

TEST_CASE("server_info: what is false is left out, as clients expect") {
  auto server = some_server();
  auto info = info_of(info_line(server, 7, ""));
  CHECK_FALSE(info.contains("auth_required"));
  CHECK_FALSE(info.contains("ldm"));
  CHECK_FALSE(info.contains("connect_info"));
  server.auth_required = server.lame_duck = true;
  info = info_of(info_line(server, 7, ""));
  CHECK(info["auth_required"] == true);
  CHECK(info["ldm"] == true);
}

TEST_CASE("server_info: the INFO after CONNECT names the account") {
  auto info = info_of(connect_info_line(some_server(), 7, "", "$G"));
  CHECK(info["connect_info"] == true);
  CHECK(info["remote_account"] == "$G");
}

TEST_CASE("server_info: a name that is not UTF-8 or has line ends cannot break the line") {
  auto server = some_server();
  server.server_name = "a\xff\r\nb\"";
  auto line = info_line(server, 1, "");
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(info_of(line)["server_name"].get<std::string>().back() == '"');
}

// ---- redact ----

TEST_CASE("redact: the values of secrets are replaced") {
  CHECK(redact_secrets(R"({"user":"a","pass":"b","auth_token":"c","sig":"d","jwt":"e","n":1})") ==
        R"({"user":"a","pass":"[REDACTED]","auth_token":"[REDACTED]","sig":"[REDACTED]",)"
        R"("jwt":"[REDACTED]","n":1})");
}

TEST_CASE("redact: in any case, with blanks, and whatever the value is") {
  CHECK(redact_secrets(R"({"PASS" : "b", "x":1})") == R"({"PASS" : "[REDACTED]", "x":1})");
  CHECK(redact_secrets(R"({"pass":123})") == R"({"pass":"[REDACTED]"})");
  CHECK(redact_secrets(R"({"pass":secret,"a":1})") == R"({"pass":"[REDACTED]","a":1})");
  CHECK(redact_secrets(R"({"pass":"a\"b,c}"})") == R"({"pass":"[REDACTED]"})");
  CHECK(redact_secrets("{\"pass\":\"a\\\nsecret\"}") == R"({"pass":"[REDACTED]"})");
  CHECK(redact_secrets(R"({"pass":"never closed)") == R"({"pass":"[REDACTED]")");
}

TEST_CASE("redact: what is no secret stays as it is") {
  for (const char* text : {"", "{}", R"({"passport":"x","pas":"y"})", R"({"user":"pass"})", "pass"})
    CHECK(redact_secrets(text) == text);
}

TEST_CASE("redact: a secret of a megabyte does not exhaust the stack") {
  std::string secret(1'000'000, 'x');
  CHECK(redact_secrets("{\"pass\":\"" + secret + "\",\"a\":1}") ==
        R"({"pass":"[REDACTED]","a":1})");
}

TEST_CASE("redact: quoted text shows what cannot be printed") {
  CHECK(quoted_text("a\"b\\\r\n") == R"("a\"b\\\r\n")");
  CHECK(quoted_text(std::string_view{"\0\x7f\x1b", 3}) == R"("\x00\x7f\x1b")");
  CHECK(quoted_text("\xc3\xa9") == "\"\xc3\xa9\"");
}

// ---- nkey ----

TEST_CASE("nkey: a server's id has nkey form") {
  auto id = make_server_id();
  CHECK(id.size() == 56);
  CHECK(id[0] == 'N');
  CHECK(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string::npos);
}

TEST_CASE("nkey: ids are not alike") {
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.insert(make_server_id());
  CHECK(ids.size() == 20);
}

TEST_CASE("nkey: prefix, key and checksum are encoded as nkeys are") {
  // The key of zeros: prefix 'N' is 13 << 3; the CRC-16 (XMODEM) of the 33 bytes comes low byte
  // first.
  std::array<uint8_t, 32> zeros{};
  auto text = encode_nkey(13 << 3, zeros);
  REQUIRE(text.size() == 56);
  CHECK(text.substr(0, 52) == "NA" + std::string(50, 'A'));
  auto other = zeros;
  other[31] = 1;
  CHECK(encode_nkey(13 << 3, other).substr(52) != text.substr(52));
}
