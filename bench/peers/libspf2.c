/*
 * libspf2 as a measured program, with the files and the protocols of quivive-bench-measure:
 * `libspf2 FOLDER` checks with all answers in memory, `libspf2 FOLDER wire` asks whom
 * /etc/resolv.conf names, one check after the other.
 *
 * In memory, the answers are a zone of the library with its cache above; over the wire its cache is
 * above its resolver. The library's headers are a package of their own: what is used of them stands
 * here.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct dns dns;
typedef struct server server;
typedef struct request request;
typedef struct response response;
typedef struct message message;

dns *SPF_dns_zone_new(dns *below, const char *name, int debug);
int SPF_dns_zone_add_str(dns *zone, const char *name, int type, int status, const char *data);
dns *SPF_dns_cache_new(dns *below, const char *name, int debug, int bits);
dns *SPF_dns_resolv_new(dns *below, const char *name, int debug);
server *SPF_server_new_dns(dns *dns, int debug);
void SPF_server_free(server *server);
request *SPF_request_new(server *server);
void SPF_request_free(request *request);
int SPF_request_set_ipv4_str(request *request, const char *address);
int SPF_request_set_ipv6_str(request *request, const char *address);
int SPF_request_set_helo_dom(request *request, const char *helo);
int SPF_request_set_env_from(request *request, const char *sender);
int SPF_request_query_mailfrom(request *request, response **response);
int SPF_response_result(response *response);
message *SPF_response_message(response *response, int index);
int SPF_error_code(message *message);
void SPF_response_free(response *response);

/* netdb.h: h_errno. */
enum { SUCCESS = 0, NO_DATA_THERE = 4 };
/* The library asks for the type SPF first, and takes an error of the name for one of TXT. */
enum { TYPE_SPF = 99 };
/* Its table has two to this power places. */
enum { CACHE_BITS = 16 };
/* spf_response.h: SPF_errcode_t. */
enum { NOT_SPF = 2, DNS_ERROR = 26 };

/* spf_response.h: SPF_result_t. */
static const char *const RESULTS[] = {
    "", "neutral", "pass", "fail", "softfail", "none", "temperror", "permerror",
};

typedef struct {
    char *address, *helo, *sender, *expected;
} query;

typedef struct {
    query *queries;
    long count;
} group;

static unsigned long allocated;

/* Memory is counted as the allocator of the other programs counts it. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
void *malloc(size_t size) { allocated++; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { allocated++; return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { allocated++; return __libc_realloc(old, size); }

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static FILE *file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "r");
}

/* A line without its end; its memory is the caller's. */
static char *line_of(FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, file) < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\n")] = 0;
    return line;
}

static group read_group(const char *folder, int number)
{
    char name[64], *line;
    group group = {NULL, 0};
    snprintf(name, sizeof name, "queries-%d.tsv", number);
    FILE *queries = file(folder, name);
    if (!queries)
        return group;
    while ((line = line_of(queries))) {
        group.queries = realloc(group.queries, (size_t)(group.count + 1) * sizeof(query));
        query *query = &group.queries[group.count++];
        query->address = strsep(&line, "\t");
        query->helo = strsep(&line, "\t");
        query->sender = strsep(&line, "\t");
        query->expected = line;
    }
    fclose(queries);
    return group;
}

static int type_of(const char *word)
{
    static const struct { const char *word; int number; } types[] = {
        {"A", 1}, {"PTR", 12}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28},
    };
    for (size_t place = 0; place < sizeof types / sizeof *types; place++)
        if (!strcmp(types[place].word, word))
            return types[place].number;
    return 0;
}

static server *in_memory(const char *folder)
{
    char *line, *record;
    dns *zone = SPF_dns_zone_new(NULL, "zone", 0);
    FILE *answers = file(folder, "answers.tsv");
    while (answers && (line = line_of(answers))) {
        const char *name = strsep(&line, "\t");
        int type = type_of(strsep(&line, "\t"));
        int is_found = !strcmp(strsep(&line, "\t"), "found");
        if (type == type_of("TXT"))
            SPF_dns_zone_add_str(zone, name, TYPE_SPF, NO_DATA_THERE, NULL);
        if (!is_found)
            SPF_dns_zone_add_str(zone, name, type, NO_DATA_THERE, NULL);
        while ((record = strsep(&line, "\t")))
            SPF_dns_zone_add_str(zone, name, type, SUCCESS, record);
    }
    return SPF_server_new_dns(SPF_dns_cache_new(zone, "cache", 0, CACHE_BITS), 0);
}

static server *over_the_wire(void)
{
    dns *resolver = SPF_dns_resolv_new(NULL, "resolver", 0);
    return SPF_server_new_dns(SPF_dns_cache_new(resolver, "cache", 0, CACHE_BITS), 0);
}

/* Without a record that it understands there is no result, but errors: the first says why. */
static const char *result_of(int error, response *response)
{
    int number = response ? SPF_response_result(response) : 0;
    if (number > 0 && number < 8)
        return RESULTS[number];
    message *first = response ? SPF_response_message(response, 0) : NULL;
    switch (first ? SPF_error_code(first) : error) {
    case NOT_SPF: return "none";
    case DNS_ERROR: return "temperror";
    default: return "permerror";
    }
}

static int is_right(server *server, const query *query)
{
    response *response = NULL;
    request *request = SPF_request_new(server);
    if (strchr(query->address, ':'))
        SPF_request_set_ipv6_str(request, query->address);
    else
        SPF_request_set_ipv4_str(request, query->address);
    SPF_request_set_helo_dom(request, query->helo);
    if (*query->sender)
        SPF_request_set_env_from(request, query->sender);
    int error = SPF_request_query_mailfrom(request, &response);
    int right = !strcmp(result_of(error, response), query->expected);
    if (response)
        SPF_response_free(response);
    SPF_request_free(request);
    return right;
}

/* Never inlined: instruction counters know the measured part by its name. */
__attribute__((noinline)) static long measured_pass(server *server, const group *group)
{
    long right = 0;
    for (long place = 0; place < group->count; place++)
        right += is_right(server, &group->queries[place]);
    return right;
}

__attribute__((noinline)) static long warm(server *server, const group *group)
{
    long right = 0;
    for (long place = 0; place < group->count; place++)
        right += is_right(server, &group->queries[place]);
    return right;
}

static void serve(server *server, const char *folder)
{
    char line[256], word[16];
    int number, repeats;
    group groups[64];
    int count = 0;
    while (count < 64 && (groups[count] = read_group(folder, count)).count)
        count++;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %d %d", word, &number, &repeats) != 3 || number >= count)
            exit(1);
        long right = 0, is_warm = !strcmp(word, "warm");
        unsigned long memory = allocated;
        uint64_t start = now(CLOCK_THREAD_CPUTIME_ID);
        for (int repeat = 0; repeat < repeats; repeat++)
            right += (is_warm ? warm : measured_pass)(server, &groups[number]);
        printf("%llu %ld %ld %lu\n",
               (unsigned long long)(now(CLOCK_THREAD_CPUTIME_ID) - start),
               groups[number].count * repeats, right, allocated - memory);
        fflush(stdout);
    }
}

static void serve_wire(const char *folder)
{
    char line[256], start[16];
    long count, repeats;
    group group = read_group(folder, 0);
    server *server = over_the_wire();
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "wire 1 %15s %ld %ld", start, &count, &repeats) != 3)
            exit(1);
        int is_fresh = !strcmp(start, "fresh"), is_cold = is_fresh || !strcmp(start, "cold");
        if (count > group.count)
            count = group.count;
        uint64_t clock = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID);
        long right = 0;
        for (long place = 0; place < count * repeats; place++) {
            if (is_fresh || (is_cold && place == 0)) {
                SPF_server_free(server);
                server = over_the_wire();
            }
            right += is_right(server, &group.queries[place % count]);
        }
        clock = now(CLOCK_MONOTONIC) - clock;
        processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
        printf("%llu %llu %ld %ld %llu 0\n", (unsigned long long)clock,
               (unsigned long long)processor, count * repeats, right, (unsigned long long)clock);
        fflush(stdout);
    }
}

int main(int count, char **words)
{
    if (count == 3 && !strcmp(words[2], "wire"))
        serve_wire(words[1]);
    else if (count == 2)
        serve(in_memory(words[1]), words[1]);
    else
        fputs("usage: libspf2 FOLDER [wire]\n", stderr);
    return 0;
}
