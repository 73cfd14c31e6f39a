// What WGSL takes for an identifier in generated code.

import type { NamingRules } from "../names.ts";

/** Words that WGSL keeps, types and functions that every program has, and what generated shaders use themselves. */
const reserved = new Set(
  // Keywords and reserved words (WGSL, sections 16.1 and 16.2).
  (
    "alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop override " +
    "requires return struct switch true var while NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto " +
    "await become cast catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast " +
    "consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends " +
    "extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline " +
    "instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept " +
    "noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partition pass patch " +
    "pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require " +
    "resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template this " +
    "thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual " +
    "volatile wgsl where with writeonly yield " +
    // Predeclared: hiding them would change what the functions of the shader mean.
    "array atomic bool f16 f32 i32 u32 vec2 vec3 vec4 vec2f vec3f vec4f vec3u ptr sampler texture bitcast all any select arrayLength abs " +
    "acos acosh asin asinh atan atanh atan2 ceil clamp cos cosh cross degrees determinant distance dot exp exp2 extractBits faceForward " +
    "firstLeadingBit floor fma fract frexp insertBits inverseSqrt ldexp length log log2 max min mix modf normalize outerProduct pow " +
    "quantizeToF16 radians reflect refract reverseBits round saturate sign sin sinh smoothstep sqrt step tan tanh transpose trunc " +
    "function private workgroup uniform storage read write read_write main sizes Sizes group_id group_count thread_id"
  ).split(" "),
);

export const wgsl: NamingRules = {
  reserved,
  legal(wanted) {
    const stem = wanted.replace(/[^\p{L}\p{N}_]/gu, "_").replace(/^_+/, "");
    return /^\p{L}/u.test(stem) ? stem : `n${stem}`;
  },
};
