#include "lab/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void lab_message_release(struct lab_message *message)
{
    free(message->bytes);
    *message = (struct lab_message){ 0 };
}

static bool reserve(struct lab_message *message, size_t more)
{
    if (more > LAB_WIRE_LARGEST || message->size + more > LAB_WIRE_LARGEST) {
        return false;
    }
    if (message->size + more <= message->capacity) {
        return true;
    }
    const size_t capacity = 2 * (message->size + more) + 256;
    char *bytes = realloc(message->bytes, capacity);
    if (bytes == NULL) {
        return false;
    }
    message->bytes = bytes;
    message->capacity = capacity;
    return true;
}

/* Behind each field stands a NUL that is not counted, so that a reader can use texts in place. */
bool lab_message_add(struct lab_message *message, const void *bytes, size_t size)
{
    if (!reserve(message, sizeof(uint32_t) + size + 1)) {
        return false;
    }
    const uint32_t length = (uint32_t)size;
    memcpy(message->bytes + message->size, &length, sizeof(length));
    if (size > 0) {
        memcpy(message->bytes + message->size + sizeof(length), bytes, size);
    }
    message->size += sizeof(length) + size;
    message->bytes[message->size++] = '\0';
    return true;
}

bool lab_message_add_text(struct lab_message *message, const char *text)
{
    return lab_message_add(message, text, strlen(text));
}

bool lab_message_next(struct lab_message *message, const char **ret_bytes, size_t *ret_size)
{
    uint32_t length;
    if (message->size - message->at < sizeof(length)) {
        return false;
    }
    memcpy(&length, message->bytes + message->at, sizeof(length));
    const size_t left = message->size - message->at - sizeof(length);
    if (length >= left || message->bytes[message->at + sizeof(length) + length] != '\0') {
        return false;
    }
    *ret_bytes = message->bytes + message->at + sizeof(length);
    if (ret_size != NULL) {
        *ret_size = length;
    }
    message->at += sizeof(length) + length + 1;
    return true;
}

int lab_wire_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        const int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int fd, char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t got = read(fd, bytes, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

bool lab_wire_send(int fd, const struct lab_message *message)
{
    const uint32_t length = (uint32_t)message->size;
    return send_all(fd, (const char *)&length, sizeof(length)) &&
           send_all(fd, message->bytes, message->size);
}

bool lab_wire_receive(int fd, struct lab_message *ret_message)
{
    uint32_t length;
    struct lab_message message = { 0 };
    if (!receive_all(fd, (char *)&length, sizeof(length)) || !reserve(&message, length + 1)) {
        return false;
    }
    message.size = length;
    if (!receive_all(fd, message.bytes, length)) {
        lab_message_release(&message);
        return false;
    }
    *ret_message = message;
    return true;
}
