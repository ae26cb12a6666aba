// Losses over rows of outputs.

/// Turns the outputs `y` of rows first..<first+rows of a batch into `result`, in place, and sets losses[r] to the row's
/// loss times its weight and weights[r] to that weight (its own times its class's) for r < rows. `y` holds the rows from
/// `first` on, `stride` apart; only D numbers of each are touched. Without targets, only the link is applied.
static void NAME(loss_rows)(const ck_loss *loss, ck_loss_result result, const ck_targets *targets, size_t first,
                            size_t rows, REAL *y, size_t stride, double *losses, double *weights) {
    size_t outputs = loss->outputs;
    for (size_t r = 0; r < rows; r++) {
        REAL *row = y + r * stride;
        REAL weight = targets->weights ? ((const REAL *)targets->weights)[first + r] : 1;
        REAL sum = 0;
        weights[r] = weight;
        losses[r] = 0;
        if (!targets->values) continue;
        const REAL *target = (const REAL *)targets->values + (first + r) * outputs;
        for (size_t j = 0; j < outputs; j++) {
            REAL e = row[j] - target[j];
            sum = NAME(fma1)(e, e, sum);
            if (result == CK_OUTPUT_ERROR) row[j] = weight * (2 * e / (REAL)outputs);
        }
        losses[r] = (double)(weight * sum / (REAL)outputs);
    }
}
