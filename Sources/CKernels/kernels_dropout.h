// Dropout masks.

/// mask[i] = 0 or 1 / (1 − rate) for units i < n of the batch's row `row`.
static void NAME(dropout_mask)(const ck_dropout *dropout, size_t row, size_t n, REAL *mask) {
    (void)row;
    (void)dropout;
    for (size_t i = 0; i < n; i++) mask[i] = 1;
}
