// A product of blocks by what this CPU multiplies bfloat16 with, and vector work beside it.
//
// unit_amx.h and unit_dots.h each define take_unit, give_back_unit, start_sums, add_block_product, finish_sums and sum_pairs.

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

#if CK_HAS_TILES
#include "unit_amx.h"
#else
#include "unit_dots.h"
#endif

/// sums = the product, 32 rows of 32 numbers. Each number is, for each block in turn and each of its terms (see
/// kernels_operand.h), an even and an odd chain of multiply-adds over the block's 32 k, which start at +0 and are added to
/// each other and then to the sum.
INLINE void multiply_blocks(const block_product *product, REAL *sums, side_work *side, size_t pieces, work_piece piece,
                            void *work) {
    const block *left = product->left, *right = product->right;
    const char *ahead = product->ahead;
    size_t lines = product->lines_ahead;
    start_sums(sums, product->continues);
    for (size_t k = 0; k < product->count; k++, left++, right++) {
        add_block_product(product, left, right, sums);
        for (size_t line = 0; line < lines; line++, ahead += 64) _mm_prefetch(ahead, _MM_HINT_T1);
        do_pieces(side, pieces, piece, work);
    }
    finish_sums(sums);
}

// The sums of two blocks: one in the making, and one that is being worked on.
typedef struct two_blocks {
    REAL sums[2][BLOCK_NUMBERS] __attribute__((aligned(64)));
} two_blocks;
