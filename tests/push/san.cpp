// Asks libsynthesis about notifications, and lets it build one.
//
//   san read HEX SERVER-ID PASSWORD NONCE     prints what it reads, and whether the digest is right
//   san make SERVER-ID PASSWORD NONCE SESSION UI ALERT TYPE URI [ALERT TYPE URI]...    prints a notification in hex

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <synthesis/san.h>

using namespace sysync;

static void print_hex(void *octets, size_t size) {
  for (size_t at = 0; at < size; ++at)
    printf("%02X", static_cast<unsigned char *>(octets)[at]);
  printf("\n");
}

static int read_one(char **arguments) {
  std::vector<unsigned char> octets;
  for (const char *hex = arguments[0]; hex[0] && hex[1]; hex += 2) {
    char pair[3] = {hex[0], hex[1], 0};
    octets.push_back(static_cast<unsigned char>(strtoul(pair, nullptr, 16)));
  }
  SanPackage package;
  // 1: a message of SyncML 1.1, which is turned into a notification of 1.2 inside; 2: one of 1.2.
  int form = octets.size() > 0 && octets[0] == 2 && octets[1] == 0x9F ? 1 : 2;
  TSyError error = package.PassSan(octets.data(), octets.size(), form);
  if (!error)
    error = package.GetHeader();
  if (error) {
    printf("error %d\n", static_cast<int>(error));
    return 1;
  }
  printf("version %d ui %d initiator %d session %d server %s syncs %d\n", package.fProtocolVersion,
         package.fUI_Mode, package.fInitiator, package.fSessionID, package.fServerID.c_str(), package.fNSync);
  for (int nth = 1; nth <= package.fNSync; ++nth) {
    int kind = 0;
    uInt32 type = 0;
    std::string uri;
    error = package.GetNthSync(nth, kind, type, uri);
    if (error) {
      printf("error %d\n", static_cast<int>(error));
      return 1;
    }
    printf("sync %d type %u uri %s\n", kind, static_cast<unsigned>(type), uri.c_str());
  }
  package.CreateDigest(arguments[1], arguments[2], arguments[3], octets.data(), octets.size());
  printf("digest %s\n", package.DigestOK(octets.data()) ? "right" : "wrong");
  return 0;
}

static int make_one(int count, char **arguments) {
  SanPackage package;
  std::string credentials = package.B64_H(arguments[0], arguments[1]);
  package.PreparePackage(credentials, arguments[2], 12, static_cast<UI_Mode>(atoi(arguments[4])),
                         Initiator_Server, static_cast<uInt16>(atoi(arguments[3])), arguments[0]);
  package.CreateEmptyNotificationBody();
  for (int at = 5; at + 2 < count; at += 3)
    package.AddSync(atoi(arguments[at]), static_cast<uInt32>(atoi(arguments[at + 1])), arguments[at + 2]);
  void *octets = nullptr;
  size_t size = 0;
  if (package.GetPackage(octets, size))
    return 1;
  print_hex(octets, size);
  return 0;
}

int main(int count, char **arguments) {
  if (count == 6 && !strcmp(arguments[1], "read"))
    return read_one(arguments + 2);
  if (count >= 10 && !strcmp(arguments[1], "make"))
    return make_one(count - 2, arguments + 2);
  return 2;
}
