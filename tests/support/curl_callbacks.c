/* Debian 12 builds SyncEvolution 2.0.0 such that the two transfer callbacks it
 * gives to libcurl arrive as null pointers. libcurl then treats the transport
 * object as a FILE and the client crashes in its first POST. The methods behind
 * the callbacks are exported, so this preloaded object hands libcurl functions
 * that call them. Callbacks that are not null pass through untouched.
 *
 *     cc -shared -fPIC -O1 -o curl_callbacks.so curl_callbacks.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Values of CURLOPTTYPE_* and of the two options, from libcurl's stable ABI. */
enum { TYPE_OBJECT = 10000, TYPE_OFFSET = 30000, WRITE_FUNCTION = 20011, READ_FUNCTION = 20012, READ_ABORT = 0x10000000 };

/* SyncEvo::CurlTransportAgent::writeData and ::readData; absent in a process without SyncEvolution. */
#define AGENT(method) "_ZN7SyncEvo18CurlTransportAgent" method "EPvm"
extern size_t agent_write(void *agent, void *bytes, size_t length) __asm__(AGENT("9writeData")) __attribute__((weak));
extern size_t agent_read(void *agent, void *bytes, size_t length) __asm__(AGENT("8readData")) __attribute__((weak));

static size_t on_write(char *bytes, size_t size, size_t count, void *agent) {
    return agent_write(agent, bytes, size * count);
}

static size_t on_read(char *bytes, size_t size, size_t count, void *agent) {
    return agent_read ? agent_read(agent, bytes, size * count) : READ_ABORT;
}

int curl_easy_setopt(void *handle, int option, ...) {
    static int (*next)(void *, int, ...);
    va_list arguments;
    int result;

    if (!next)
        next = (int (*)(void *, int, ...))dlsym(RTLD_NEXT, "curl_easy_setopt");
    va_start(arguments, option);
    if (option < TYPE_OBJECT) {
        result = next(handle, option, va_arg(arguments, long));
    } else if (option >= TYPE_OFFSET && option < TYPE_OFFSET + 10000) {
        result = next(handle, option, va_arg(arguments, int64_t));
    } else {
        void *pointer = va_arg(arguments, void *);
        if (!pointer && option == WRITE_FUNCTION && agent_write)
            pointer = (void *)on_write;
        if (!pointer && option == READ_FUNCTION && agent_read)
            pointer = (void *)on_read;
        result = next(handle, option, pointer);
    }
    va_end(arguments);
    return result;
}
