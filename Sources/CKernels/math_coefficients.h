// Made by Scripts/fit_polynomials.py: minimax polynomials, lowest power first, and constants in two parts.
// Each comment gives what is approximated, for which argument, and the largest weighted error.

#ifndef CK_MATH_COEFFICIENTS_H
#define CK_MATH_COEFFICIENTS_H

// (exp(r) - 1 - r)/r² for |r| ≤ ln2/2, relative to exp(r) - 1: 2.22e-9.
static const float ck_exp_f32[6] = {
    0x1.0000000000000p-1f,
    0x1.5555560000000p-3f,
    0x1.5554ae0000000p-5f,
    0x1.1110900000000p-7f,
    0x1.6d75280000000p-10f,
    0x1.a1a2180000000p-13f,
};

// (2·atanh(s) - 2s)/s³ of z = s² up to ((√2-1)/(√2+1))², relative to 2s: 4.39e-10.
static const float ck_log_f32[4] = {
    0x1.5555540000000p-1f,
    0x1.999a7c0000000p-2f,
    0x1.2438740000000p-2f,
    0x1.e306320000000p-3f,
};

// (tanh(a)/a - 1)/z of z = a² up to 0.55², relative to tanh(a): 5.16e-9.
static const float ck_tanh_f32[5] = {
    -0x1.55554c0000000p-2f,
    0x1.110d3a0000000p-3f,
    -0x1.b92b820000000p-5f,
    0x1.5954940000000p-6f,
    -0x1.9baeac0000000p-8f,
};

// erf(a)/a - 1 of z = a² up to 1, absolute: 1.49e-8.
static const float ck_erf_f32[7] = {
    0x1.06eba80000000p-3f,
    -0x1.81273e0000000p-2f,
    0x1.ce2d200000000p-4f,
    -0x1.b7fbb40000000p-6f,
    0x1.5419f40000000p-8f,
    -0x1.a485ea0000000p-11f,
    0x1.4ae4c60000000p-14f,
};

// (1 + 2a)·exp(a²)·erfc(a) of t = (a - 4)/(a + 4) for a ≥ 1, relative: 3.03e-8.
static const float ck_erfcx_f32[11] = {
    0x1.3ba5920000000p+0f,
    -0x1.1df1b00000000p-3f,
    0x1.f7f3760000000p-7f,
    0x1.16edaa0000000p-4f,
    -0x1.9dd5940000000p-4f,
    0x1.7fe2c40000000p-4f,
    -0x1.0fd2520000000p-4f,
    0x1.310d960000000p-5f,
    -0x1.0852380000000p-6f,
    0x1.3c8e900000000p-8f,
    -0x1.8043620000000p-11f,
};

// (cos(πu) - 1)/u² of z = u² for |u| ≤ ½, absolute in the cosine: 3.06e-8.
static const float ck_cospi_f32[6] = {
    -0x1.3bd3cc0000000p+2f,
    0x1.03c1f00000000p+2f,
    -0x1.55d3c00000000p+0f,
    0x1.e1f2740000000p-3f,
    -0x1.a6559a0000000p-6f,
    0x1.e2a4d00000000p-10f,
};

// sin(πu)/u of z = u² for |u| ≤ ½, relative: 5.38e-8.
static const float ck_sinpi_f32[6] = {
    0x1.921fb60000000p+1f,
    -0x1.4abbce0000000p+2f,
    0x1.466bc00000000p+1f,
    -0x1.32d1120000000p-1f,
    0x1.500ff80000000p-4f,
    -0x1.cc34600000000p-8f,
};

// (exp(r) - 1 - r)/r² for |r| ≤ ln2/2, relative to exp(r) - 1: 5.01e-19.
static const double ck_exp_f64[11] = {
    0x1.0000000000000p-1,
    0x1.5555555555559p-3,
    0x1.555555555555ap-5,
    0x1.111111110f67ep-7,
    0x1.6c16c16c14400p-10,
    0x1.a01a01affb1c6p-13,
    0x1.a01a01b0d03aep-16,
    0x1.71ddf8167c361p-19,
    0x1.27e4c56b3654bp-22,
    0x1.af5f32ea534acp-26,
    0x1.1f95b58347f76p-29,
};

// (2·atanh(s) - 2s)/s³ of z = s² up to ((√2-1)/(√2+1))², relative to 2s: 3.01e-19.
static const double ck_log_f64[8] = {
    0x1.5555555555555p-1,
    0x1.9999999999e0fp-2,
    0x1.2492492429f78p-2,
    0x1.c71c725a83be6p-3,
    0x1.745cddbb16b5fp-3,
    0x1.3b20c096e1898p-3,
    0x1.0f5aeca6645c2p-3,
    0x1.0f741152aba89p-3,
};

// (tanh(a)/a - 1)/z of z = a² up to 0.55², relative to tanh(a): 4.98e-18.
static const double ck_tanh_f64[11] = {
    -0x1.555555555554fp-2,
    0x1.11111111107e4p-3,
    -0x1.ba1ba1b98143ep-5,
    0x1.664f485a3c1f2p-6,
    -0x1.226e2f2d64672p-7,
    0x1.d6d29f5ca797ep-9,
    -0x1.7d90026a0ff79p-10,
    0x1.3485215e814e5p-11,
    -0x1.e97e03aebab98p-13,
    0x1.5d9bdb4eddec7p-14,
    -0x1.476f931b77d5cp-16,
};

// erf(a)/a - 1 of z = a² up to 1, absolute: 1.24e-17.
static const double ck_erf_f64[14] = {
    0x1.06eba8214db69p-3,
    -0x1.812746b0379e7p-2,
    0x1.ce2f21a042bdep-4,
    -0x1.b82ce312889c2p-6,
    0x1.565bcd0e65195p-8,
    -0x1.c02db3fef01d6p-11,
    0x1.f9a326c2d9822p-14,
    -0x1.f4d2562a1b010p-17,
    0x1.b9e6518e61290p-20,
    -0x1.5f6d9cc1c31e4p-23,
    0x1.fc43f063b4a42p-27,
    -0x1.4e635b40a397fp-30,
    0x1.7f171f011fd79p-34,
    -0x1.29e14842f8767p-38,
};

// (1 + 2a)·exp(a²)·erfc(a) of t = (a - 4)/(a + 4) for a ≥ 1, relative: 4.2e-17.
static const double ck_erfcx_f64[22] = {
    0x1.3ba5916e9fd7fp+0,
    -0x1.1df1ad154a296p-3,
    0x1.f7f5df66fd31fp-7,
    0x1.16ecefcfa5bf7p-4,
    -0x1.9ddb23c3e6ddep-4,
    0x1.7fee004dfc0e1p-4,
    -0x1.0fb06dfe76b96p-4,
    0x1.3079edf9f3b43p-5,
    -0x1.0962387f7b7f7p-6,
    0x1.49c6715c1f75bp-8,
    -0x1.8d4a99c07621fp-11,
    -0x1.a1de3a44dc82ep-13,
    0x1.3bdfa5ec69e5dp-13,
    -0x1.997439638bb8cp-16,
    -0x1.7843459da43dfp-17,
    0x1.7ff7f5f245b3cp-18,
    0x1.1fb71d8a0ea74p-22,
    -0x1.be876a9593261p-21,
    0x1.e987b915d1091p-24,
    0x1.9b1ded2a104c6p-24,
    -0x1.60336ca72db58p-25,
    0x1.50f8debab5755p-28,
};

// (cos(πu) - 1)/u² of z = u² for |u| ≤ ½, absolute in the cosine: 9.39e-17.
static const double ck_cospi_f64[10] = {
    -0x1.3bd3cc9be45dep+2,
    0x1.03c1f081b5ac4p+2,
    -0x1.55d3c7e3cbffap+0,
    0x1.e1f506891ba64p-3,
    -0x1.a6d1f2a201634p-6,
    0x1.f9d38a34f7773p-10,
    -0x1.b6e24e1ef0476p-14,
    0x1.20c5d30fca886p-18,
    -0x1.29eacf067de5dp-23,
    0x1.e1273a264ef75p-29,
};

// sin(πu)/u of z = u² for |u| ≤ ½, relative: 8.32e-17.
static const double ck_sinpi_f64[10] = {
    0x1.921fb54442d18p+1,
    -0x1.4abbce625be53p+2,
    0x1.466bc6775aae2p+1,
    -0x1.32d2cce62bd51p-1,
    0x1.50783487ebdfcp-4,
    -0x1.e3074fdc289e8p-8,
    0x1.e8f4337c8ff7bp-12,
    -0x1.6fad443ea2cc9p-16,
    0x1.aabac06744606p-21,
    -0x1.7eb49d83972f1p-26,
};

#define CK_LN2_HIGH_F32 0x1.62e0000000000p-1f
#define CK_LN2_LOW_F32 0x1.0bfbe80000000p-15f
#define CK_LN2_HIGH_F64 0x1.62e42fefa3000p-1
#define CK_LN2_LOW_F64 0x1.3de6af278ece6p-42

#endif
