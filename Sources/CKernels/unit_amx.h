// Products of blocks in Intel's matrix unit (AMX).

/// Palette 1: eight tiles, all of 16 rows of 64 bytes.
typedef struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_configuration;

// Between these two a thread has tiles in use, and every switch away from it saves 8 KiB more: so each part of a step
// takes them and gives them back. Both together cost some 100 ns.
INLINE void take_unit(void) {
    static const tile_configuration eight_tiles __attribute__((aligned(64))) = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    _tile_loadconfig(&eight_tiles);
}

INLINE void give_back_unit(void) { _tile_release(); }

/// Blocks of one operand that stay in the first cache, 48 KiB, while the other one passes.
enum { STAYING_BLOCKS = 20 / CK_OPERAND_PARTS };

// The number of a tile is part of the instruction.
#define LOAD_TILE(tile, numbers, streams)                      \
    do {                                                       \
        if (streams) _tile_stream_loadd(tile, numbers, 64);    \
        else _tile_loadd(tile, numbers, 64);                   \
    } while (0)

/// Adds one term of a block's product to the sums: a part of the left block times a part of the right one. The left part
/// is in tiles 4 and 5 already where it is not loaded.
INLINE void multiply_parts(const uint16_t *left, const uint16_t *right, const int loads_left, int left_streams,
                           int right_streams) {
    if (loads_left) LOAD_TILE(4, left, left_streams);
    LOAD_TILE(6, right, right_streams);
    _tile_dpbf16ps(0, 4, 6);
    LOAD_TILE(7, right + BLOCK_NUMBERS / 2, right_streams);
    _tile_dpbf16ps(1, 4, 7);
    if (loads_left) LOAD_TILE(5, left + BLOCK_NUMBERS / 2, left_streams);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/// Takes the sums into tiles 0 to 3, or zeros.
INLINE void start_sums(const REAL *sums, int continues) {
    if (continues) {
        _tile_loadd(0, sums, CK_PANEL_BYTES);
        _tile_loadd(1, sums + 16, CK_PANEL_BYTES);
        _tile_loadd(2, sums + 16 * CK_BLOCK, CK_PANEL_BYTES);
        _tile_loadd(3, sums + 16 * CK_BLOCK + 16, CK_PANEL_BYTES);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
}

/// Adds the product of two blocks to the sums.
INLINE void add_block_product(const block_product *product, const block *left, const block *right, REAL *sums) {
    (void)sums;
    // One operand stays in L1 if it fits. The other one is used once, so it is read without displacing the first from
    // L1.
    int has_room = product->count <= STAYING_BLOCKS;
    int left_streams = !has_room || !product->left_stays, right_streams = !has_room || product->left_stays;
    UNROLL for (size_t term = 0; term < TERMS; term++)
        multiply_parts(left->parts[left_part(term)], right->parts[right_part(term)], term != 1, left_streams,
                       right_streams);
}

INLINE void finish_sums(REAL *sums) {
    _tile_stored(0, sums, CK_PANEL_BYTES);
    _tile_stored(1, sums + 16, CK_PANEL_BYTES);
    _tile_stored(2, sums + 16 * CK_BLOCK, CK_PANEL_BYTES);
    _tile_stored(3, sums + 16 * CK_BLOCK + 16, CK_PANEL_BYTES);
}

/// sums = the sums over all k of `count` right blocks, as the product with ones has them. The first of 32 rows is used; the
/// others are the same.
INLINE void sum_pairs(const block *right, size_t count, REAL *sums) {
    static const uint16_t ones[CK_BLOCK] __attribute__((aligned(64))) = {
        [0 ... CK_BLOCK - 1] = 0x3f80,
    };
    _tile_loadd(4, ones, 0);
    _tile_zero(0);
    _tile_zero(1);
    for (size_t k = 0; k < count; k++) {
        // The low part of 1 is zero, and adds nothing.
        for (size_t part = 0; part < PARTS; part++) {
            _tile_loadd(6, right[k].parts[part], 64);
            _tile_loadd(7, right[k].parts[part] + BLOCK_NUMBERS / 2, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
        }
    }
    _tile_stored(0, sums, CK_PANEL_BYTES);
    _tile_stored(1, sums + 16, CK_PANEL_BYTES);
}
