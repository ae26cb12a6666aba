#!/usr/bin/env python3
"""Fits the polynomials of Sources/CKernels/math_coefficients.h and prints that file (needs mpmath).

    Scripts/fit_polynomials.py > Sources/CKernels/math_coefficients.h

Each is the minimax polynomial of its function for the weight given, by the exchange algorithm of Remez
in 60 digits, its coefficients then rounded to the type. The comment above each says what it approximates,
where, and the largest weighted error that the rounded coefficients leave (evaluated without rounding).
"""
import struct

import mpmath as mp

mp.mp.dps = 60


def rounded(value, single):
    """The nearest Float32 or Float64, as an exact mpf."""
    nearest = float(value)  # mpmath rounds to nearest
    if single:
        nearest = struct.unpack("f", struct.pack("f", nearest))[0]
    return nearest


def evaluate(coefficients, x):
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def remez(f, weight, low, high, degree):
    """Coefficients, lowest power first, that minimize max |weight · (polynomial − f)| over [low, high]."""
    count = degree + 2
    low, high = mp.mpf(low), mp.mpf(high)
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]
    grid_size = 60 * count
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / grid_size) for i in range(grid_size + 1)]
    values = [(f(x), weight(x)) for x in grid]
    coefficients = None
    for _ in range(12):
        matrix = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for row, x in enumerate(nodes):
            for power in range(degree + 1):
                matrix[row, power] = x**power
            matrix[row, degree + 1] = (-1) ** row / weight(x)
            right[row] = f(x)
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[power] for power in range(degree + 1)]
        errors = [w * (evaluate(coefficients, x) - v) for x, (v, w) in zip(grid, values)]
        # The largest error of each run of one sign is the next node.
        extrema = []
        for x, e in zip(grid, errors):
            if extrema and (extrema[-1][1] < 0) == (e < 0):
                if abs(e) > abs(extrema[-1][1]):
                    extrema[-1] = (x, e)
            else:
                extrema.append((x, e))
        while len(extrema) > count:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        if len(extrema) < count:
            break
        nodes = [x for x, _ in extrema]
        sizes = [abs(e) for _, e in extrema]
        if max(sizes) < min(sizes) * 1.001:
            break
    return coefficients


def exp_tail(r):
    """(eʳ − 1 − r) / r², without cancellation at 0."""
    if abs(r) < mp.mpf("1e-8"):
        return mp.mpf(1) / 2 + r / 6 + r * r / 24
    return (mp.expm1(r) - r) / (r * r)


def atanh_tail(z):
    """(2·atanh(s) − 2s) / s³ with z = s²."""
    if z < mp.mpf("1e-15"):
        return mp.mpf(2) / 3 + 2 * z / 5 + 2 * z * z / 7
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z)


def tanh_tail(z):
    """(tanh(a)/a − 1) / z with z = a²."""
    if z < mp.mpf("1e-15"):
        return -mp.mpf(1) / 3 + 2 * z / 15
    a = mp.sqrt(z)
    return (mp.tanh(a) / a - 1) / z


def erf_tail(z):
    """erf(a)/a − 1 with z = a²."""
    if z < mp.mpf("1e-30"):
        return 2 / mp.sqrt(mp.pi) * (1 - z / 3) - 1
    a = mp.sqrt(z)
    return mp.erf(a) / a - 1


def erfcx_mapped(t):
    """(1 + 2a)·exp(a²)·erfc(a) with t = (a − 4)/(a + 4)."""
    if t == 1:
        return 2 / mp.sqrt(mp.pi)
    a = 4 * (1 + t) / (1 - t)
    # Beyond 60 the asymptotic series is exact to more digits than are used.
    if a > 60:
        series = sum((-1) ** k * mp.fac2(2 * k - 1) / (2 * a * a) ** k for k in range(25))
        return (1 + 2 * a) / (a * mp.sqrt(mp.pi)) * series
    return (1 + 2 * a) * mp.exp(a * a) * mp.erfc(a)


def cosine_tail(z):
    """(cos(πu) − 1) / u² with z = u²."""
    if z < mp.mpf("1e-30"):
        return -mp.pi**2 / 2 + mp.pi**4 / 24 * z
    u = mp.sqrt(z)
    return (mp.cos(mp.pi * u) - 1) / z


def sine_ratio(z):
    """sin(πu) / u with z = u²."""
    if z < mp.mpf("1e-30"):
        return mp.pi - mp.pi**3 / 6 * z
    u = mp.sqrt(z)
    return mp.sin(mp.pi * u) / u


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.001")
ERF_SPLIT = mp.mpf(1)


def emit(name, single, f, weight, low, high, degree, meaning):
    coefficients = [rounded(c, single) for c in remez(f, weight, low, high, degree)]
    exact = [mp.mpf(c) for c in coefficients]
    worst = mp.mpf(0)
    for i in range(2001):
        x = low + (high - low) * mp.mpf(i) / 2000
        worst = max(worst, abs(weight(x) * (evaluate(exact, x) - f(x))))
    kind, suffix = ("float", "f") if single else ("double", "")
    print(f"// {meaning}: {mp.nstr(worst, 3)}.")
    print(f"static const {kind} ck_{name}_{'f32' if single else 'f64'}[{degree + 1}] = {{")
    for c in coefficients:
        text = c.hex()
        print(f"    {text}{suffix},")
    print("};\n")


def main():
    print("// Made by Scripts/fit_polynomials.py: minimax polynomials, lowest power first, and constants in two parts.")
    print("// Each comment gives what is approximated, for which argument, and the largest weighted error.\n")
    print("#ifndef CK_MATH_COEFFICIENTS_H\n#define CK_MATH_COEFFICIENTS_H\n")
    one = lambda x: mp.mpf(1)
    for single in (True, False):
        emit("exp", single, exp_tail, lambda r: max(abs(r), mp.mpf("1e-3")), -HALF_LN2, HALF_LN2, 5 if single else 10,
             "(exp(r) - 1 - r)/r² for |r| ≤ ln2/2, relative to exp(r) - 1")
        emit("log", single, atanh_tail, lambda z: max(z / 2, mp.mpf("1e-4")), mp.mpf(0), mp.mpf("0.0295"),
             3 if single else 7, "(2·atanh(s) - 2s)/s³ of z = s² up to ((√2-1)/(√2+1))², relative to 2s")
        emit("tanh", single, tanh_tail, lambda z: max(z, mp.mpf("1e-3")), mp.mpf(0), mp.mpf("0.3026"),
             4 if single else 10, "(tanh(a)/a - 1)/z of z = a² up to 0.55², relative to tanh(a)")
        emit("erf", single, erf_tail, one, mp.mpf(0), ERF_SPLIT, 6 if single else 13,
             "erf(a)/a - 1 of z = a² up to 1, absolute")
        emit("erfcx", single, erfcx_mapped, lambda t: 1 / erfcx_mapped(t), mp.mpf("-0.6"), mp.mpf(1),
             10 if single else 21, "(1 + 2a)·exp(a²)·erfc(a) of t = (a - 4)/(a + 4) for a ≥ 1, relative")
        emit("cospi", single, cosine_tail, lambda z: max(z, mp.mpf("1e-4")), mp.mpf(0), mp.mpf("0.25"),
             5 if single else 9, "(cos(πu) - 1)/u² of z = u² for |u| ≤ ½, absolute in the cosine")
        emit("sinpi", single, sine_ratio, lambda z: 1 / sine_ratio(z), mp.mpf(0), mp.mpf("0.25"),
             5 if single else 9, "sin(πu)/u of z = u² for |u| ≤ ½, relative")
    # ln2 in two parts: the high part has so few bits that its product with any exponent is exact.
    for single, bits in ((True, 14), (False, 41)):
        ln2 = mp.log(2)
        high = mp.floor(ln2 * 2**bits) / 2**bits
        low = rounded(ln2 - high, single)
        kind, suffix, label = ("float", "f", "F32") if single else ("double", "", "F64")
        print(f"#define CK_LN2_HIGH_{label} {float(high).hex()}{suffix}")
        print(f"#define CK_LN2_LOW_{label} {low.hex()}{suffix}")
    print("\n#endif")


main()
