// Products of blocks in the matrix unit, with vector work beside them.

/// Palette 1: eight tiles, all of 16 rows of 64 bytes.
typedef struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_configuration;

// Between these two a thread has tiles in use, and every switch away from it saves 8 KiB more: so each part of a step
// takes them and gives them back. Both together cost some 100 ns.
INLINE void take_tiles(void) {
    static const tile_configuration eight_tiles __attribute__((aligned(64))) = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    _tile_loadconfig(&eight_tiles);
}

INLINE void give_back_tiles(void) { _tile_release(); }

/// A row of blocks times a column of blocks: the sum over `count` products of a block of each.
typedef struct block_product {
    const block *left, *right;
    size_t count;
    int continues;       // from what is in the sums, instead of from zero
    int left_stays;      // the next product has the same left operand; otherwise the same right one
    const char *ahead;   // what will be read next, fetched meanwhile
    size_t lines_ahead;  // cache lines of it for each block
} block_product;

// Vector work that is cut into pieces, to be done between the instructions of a product: the unit takes 64 cycles for a
// pair of blocks, in which the vector units would idle. `done` counts the pieces that are.
typedef struct side_work {
    size_t done, pieces;
} side_work;

typedef void (*work_piece)(void *work, size_t piece);

/// The pieces for each of `steps` steps that are to come.
INLINE size_t pieces_per_step(const side_work *side, size_t steps) {
    return steps == 0 ? 0 : (side->pieces - side->done + steps - 1) / steps;
}

INLINE void do_pieces(side_work *side, size_t count, work_piece piece, void *work) {
    for (; count > 0 && side->done < side->pieces; count--) piece(work, side->done++);
}

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

/// sums = the product, 32 rows of 32 numbers. Each number is, for each block in turn and each of its terms (see
/// kernels_operand.h), an even and an odd chain of multiply-adds over the block's 32 k, which start at +0 and are added to
/// each other and then to the sum.
INLINE void multiply_blocks(const block_product *product, REAL *sums, side_work *side, size_t pieces, work_piece piece,
                            void *work) {
    const block *left = product->left, *right = product->right;
    const char *ahead = product->ahead;
    size_t lines = product->lines_ahead;
    // One operand stays in L1 if it fits. The other one is used once, so it is read without displacing the first from
    // L1.
    int has_room = product->count <= STAYING_BLOCKS;
    int left_streams = !has_room || !product->left_stays, right_streams = !has_room || product->left_stays;
    if (product->continues) {
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
    for (size_t k = 0; k < product->count; k++, left++, right++) {
        UNROLL for (size_t term = 0; term < TERMS; term++)
            multiply_parts(left->parts[left_part(term)], right->parts[right_part(term)], term != 1, left_streams,
                           right_streams);
        for (size_t line = 0; line < lines; line++, ahead += 64) _mm_prefetch(ahead, _MM_HINT_T1);
        do_pieces(side, pieces, piece, work);
    }
    _tile_stored(0, sums, CK_PANEL_BYTES);
    _tile_stored(1, sums + 16, CK_PANEL_BYTES);
    _tile_stored(2, sums + 16 * CK_BLOCK, CK_PANEL_BYTES);
    _tile_stored(3, sums + 16 * CK_BLOCK + 16, CK_PANEL_BYTES);
}

// The sums of two blocks: one in the making, and one that is being worked on.
typedef struct two_blocks {
    REAL sums[2][BLOCK_NUMBERS] __attribute__((aligned(64)));
} two_blocks;
