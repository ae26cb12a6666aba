#ifndef CHDF5SHIMS_H
#define CHDF5SHIMS_H

// What Swift cannot import from libhdf5: macros with casts or hidden initialization, as functions.
// Beyond that: the library's lock, and the callbacks that have to be C functions.

#include <CDecode.h>
#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <stddef.h>
#include <stdint.h>

// The structural lock. Re-entrant, so that a handle which closes inside a locked region cannot deadlock.
// The outermost entry silences error printing on this thread; the outermost exit drains its error stack.
void chdf5_enter(void);
void chdf5_leave(void);

// From now on SIGVTALRM ends the process when one stay inside the lock takes more seconds of the processor, and libhdf5 gets
// no more than so many bytes in it: it runs in circles on some damaged files, and takes what they state for granted. To be
// called before there are threads.
void chdf5_limit_calls(int seconds, size_t bytes);

// Plug-in loading, off until allowed; call inside the lock.
void chdf5_allow_plugins(int allowed);

// Makes the filters of CDecode that libhdf5 lacks known to it. They undo chunks only while a read expects them.
void chdf5_register_filters(void);
// What the next reads are to find: chunks of `size` bytes that went through these filters. None of them ends it. Call
// inside the lock.
void chdf5_expect_chunks(const cd_filter *filters, size_t count, size_t size);

unsigned chdf5_acc_rdonly(void);
unsigned chdf5_acc_trunc(void);
unsigned chdf5_acc_excl(void);

hid_t chdf5_property_file_access(void);
hid_t chdf5_property_dataset_create(void);
hid_t chdf5_property_dataset_transfer(void);
hid_t chdf5_property_group_create(void);
hid_t chdf5_property_link_create(void);
hid_t chdf5_property_link_access(void);
hid_t chdf5_default(void);

hid_t chdf5_space_all(void);
hsize_t chdf5_unlimited(void);
size_t chdf5_variable(void);
haddr_t chdf5_undefined_address(void);

// A predefined type by kind and size in the machine's byte order; not to be closed.
hid_t chdf5_native_integer(int is_signed, size_t size);
hid_t chdf5_native_float(size_t size);
hid_t chdf5_c_string(void);

// Makes a link access list refuse external links.
herr_t chdf5_refuse_external_links(hid_t link_access);
// Switches file locking off for the next open; 0 where this libhdf5 has no such property and the
// environment was used instead.
herr_t chdf5_without_locking(hid_t file_access);
// Undoes what chdf5_without_locking did to the environment.
void chdf5_with_locking(void);

// The error stack, root cause first, the call that failed for it last.
typedef enum {
    CHDF5_OTHER,
    CHDF5_NOT_FOUND,
    CHDF5_NO_FILTER,
    CHDF5_NO_MEMORY,
    CHDF5_TRUNCATED,
    CHDF5_NOT_HDF5,
    CHDF5_CANNOT_LOCK,
    CHDF5_DAMAGED,
    CHDF5_UNSUPPORTED
} chdf5_error_class;

typedef void (*chdf5_frame_visitor)(void *context, chdf5_error_class kind, const char *function,
                                    const char *description);
void chdf5_visit_errors(void *context, chdf5_frame_visitor visit);
// 1 when the last external link was refused by chdf5_refuse_external_links on this thread; resets it.
int chdf5_took_refusal(void);

// A whole file in memory, which libhdf5 builds and whose buffer is taken over. All of this runs inside the lock.
typedef struct chdf5_image chdf5_image;
// An empty image to be built. What is set aside in it and never written reads as zeros, and takes no memory.
chdf5_image *chdf5_image_new(hid_t file_access);
// The finished bytes, to be given to chdf5_image_discard in the end; NULL while the file is still open.
void *chdf5_image_take(chdf5_image *image, size_t *size);
void chdf5_image_discard(const void *bytes, size_t size);
void chdf5_image_release(chdf5_image *image);

// Links and objects, the same for the interfaces of 1.10 and of 1.12 and later.
typedef enum {
    CHDF5_LINK_HARD,
    CHDF5_LINK_SOFT,
    CHDF5_LINK_EXTERNAL,
    CHDF5_LINK_UNKNOWN
} chdf5_link_kind;
// Returns 0 to go on, a positive number to stop.
typedef int (*chdf5_link_visitor)(void *context, const char *name, chdf5_link_kind kind);
herr_t chdf5_visit_links(hid_t group, void *context, chdf5_link_visitor visit);
// Where a soft link leads, or an external one: its file and object. Either may be cut to `size` - 1 bytes.
herr_t chdf5_link_target(hid_t group, const char *name, char *file, char *object, size_t size);
typedef int (*chdf5_name_visitor)(void *context, const char *name);
herr_t chdf5_visit_attributes(hid_t object, void *context, chdf5_name_visitor visit);

typedef struct {
    unsigned long file;
    uint64_t address;    // of the object's header, relative to the base address
    uint64_t links;      // hard links to it
    uint64_t attributes; // how many
} chdf5_identity;
herr_t chdf5_identify(hid_t object, chdf5_identity *identity);
hsize_t chdf5_link_count(hid_t group);
// The descriptor of a file opened from disk, or -1.
int chdf5_descriptor(hid_t file);
// Closes a file; the lock of one that was read goes with its last handle.
herr_t chdf5_close_file(hid_t file);
// Whether this libhdf5 leaves the user block out of the addresses of chunks (1.10.8 does, 2.0.0 does not):
// tried once on a small file in memory.
int chdf5_chunk_addresses_are_relative(void);

// Writing files: the driver that keeps the first failure of a write to itself, because libhdf5 crashes on them.
typedef struct chdf5_health chdf5_health;
chdf5_health *chdf5_health_new(hid_t file_access);
// The errno value of the first failure, or 0. It also tells why a file could not be created.
int chdf5_health_error(const chdf5_health *health);
void chdf5_health_release(chdf5_health *health);
int chdf5_is_careful(hid_t driver_id);

// Variable-length strings within a budget: allocation beyond it fails, and the read with it.
typedef struct {
    size_t left;
    int exceeded;
} chdf5_budget;
herr_t chdf5_bound_strings(hid_t transfer, chdf5_budget *budget);

#endif
