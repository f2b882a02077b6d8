#include "common/zap.h"

#include <assert.h>
#include <string.h>
#include <zmq.h>

#include "common/log.h"

enum {
    /* RFC 27: version, request, domain, address, identity, mechanism, then the client's key. */
    PART_REQUEST = 1,
    PART_ADDRESS = 3,
    PART_MECHANISM = 5,
    PART_KEY = 6,
    PART_COUNT = 7,
    PART_SIZE = 64,
    DRAIN_MAX = 256
};

struct question {
    char parts[PART_COUNT][PART_SIZE];
    size_t sizes[PART_COUNT];
    int count;
};

int zap_open(struct zap *zap, void *context, const struct keys *keys, struct error *err)
{
    int linger = 0;

    assert(keys->role != 0);
    zap->keys = keys;
    zap->socket = zmq_socket(context, ZMQ_REP);
    if (zap->socket == NULL ||
        zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(zap->socket, "inproc://zeromq.zap.01") != 0) {
        int code = zmq_errno();
        zap_close(zap);
        return error_set(err, E_IO, "opening the door keeper of keys: %s", zmq_strerror(code));
    }
    return E_OK;
}

void zap_close(struct zap *zap)
{
    if (zap->socket != NULL) {
        (void)zmq_close(zap->socket);
    }
    *zap = (struct zap){0};
}

static bool ask(void *socket, struct question *question)
{
    int more = 1;
    size_t size = sizeof more;

    question->count = 0;
    while (more != 0) {
        char part[PART_SIZE];
        int got = zmq_recv(socket, part, sizeof part, ZMQ_DONTWAIT);
        if (got < 0) {
            return false;
        }
        if (question->count < PART_COUNT && got < PART_SIZE) {
            memcpy(question->parts[question->count], part, (size_t)got);
            question->parts[question->count][got] = '\0';
            question->sizes[question->count] = (size_t)got;
        }
        question->count++;
        (void)zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

static enum peer_role judge(const struct zap *zap, const struct question *question)
{
    if (question->count != PART_COUNT || strcmp(question->parts[PART_MECHANISM], "CURVE") != 0 ||
        question->sizes[PART_KEY] != 32) {
        return (enum peer_role)0;
    }
    return keys_role(zap->keys, (const uint8_t *)question->parts[PART_KEY]);
}

static void answer(void *socket, const struct question *question, enum peer_role role)
{
    const char *user = role == 0 ? "" : keys_role_name(role);
    const char *status = role == 0 ? "400" : "200";

    (void)zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, question->parts[PART_REQUEST], question->sizes[PART_REQUEST],
                   ZMQ_SNDMORE);
    (void)zmq_send(socket, status, 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, role == 0 ? "unknown key" : "OK", role == 0 ? 11 : 2, ZMQ_SNDMORE);
    (void)zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    (void)zmq_send(socket, "", 0, 0);
}

void zap_drain(struct zap *zap)
{
    struct question question = {0};

    for (int i = 0; zap->socket != NULL && i < DRAIN_MAX && ask(zap->socket, &question); i++) {
        enum peer_role role = judge(zap, &question);
        if (role == 0) {
            log_warn(zap->log, "zap", "address=%s msg=\"refused: not a key of this cluster\"",
                     question.count > PART_ADDRESS ? question.parts[PART_ADDRESS] : "?");
        }
        answer(zap->socket, &question, role);
    }
}

enum peer_role zap_role(void *message)
{
    const char *user = zmq_msg_gets(message, "User-Id");

    for (int role = PEER_ROUTER; user != NULL && role <= PEER_TOOL; role++) {
        if (strcmp(user, keys_role_name((enum peer_role)role)) == 0) {
            return (enum peer_role)role;
        }
    }
    return (enum peer_role)0;
}
