(module
  (import "env" "memory" (memory 1))

  ;; sum of 2·x·w over each row, 0 where it is negative
  ;; from sums.dlm:2:7
  ;; x: f32[6*N], w: f32[6], y: f32[N] (result)
  (func $sums (param $N i32) (param $x i32) (param $w i32) (param $y i32)
    (local $c0 v128) (local $c1 v128) (local $two v128) (local $n i32) (local $sum v128) (local $x_at i32)
    (local $w_at i32) (local $i i32) (local $total f32) (local $t v128) (local $x_at_1 i32) (local $w_at_1 i32)
    (local $i_1 i32)
    (local.set $c0 (v128.const f32x4 2 2 2 2))
    (local.set $c1 (v128.const f32x4 0 0 0 0))
    (local.set $two (local.get $c0))
    ;; n in 0..N
    (local.set $n (i32.const 0))
    (if
      (i32.lt_s (local.get $n) (local.get $N))
      (then
        (loop $n
          (local.set $sum (local.get $c1))
          (local.set $x_at (i32.add (local.get $x) (i32.mul (local.get $n) (i32.const 24))))
          (local.set $w_at (local.get $w))
          ;; i in 0..4 step 4
          (local.set $i (i32.const 0))
          (loop $i
            (local.set $sum
              (f32x4.relaxed_madd
                (v128.load (local.get $x_at))
                (f32x4.mul (v128.load (local.get $w_at)) (local.get $two))
                (local.get $sum)))
            (local.set $x_at (i32.add (local.get $x_at) (i32.const 16)))
            (local.set $w_at (i32.add (local.get $w_at) (i32.const 16)))
            (local.set $i (i32.add (local.get $i) (i32.const 4)))
            (br_if $i (i32.lt_s (local.get $i) (i32.const 4))))
          (local.set $total
            (f32x4.extract_lane 0
              (f32x4.add
                (local.tee $t
                  (f32x4.add
                    (local.get $sum)
                    (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15
                      (local.get $sum)
                      (local.get $sum))))
                (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $t) (local.get $t)))))
          (local.set $x_at_1
            (i32.add (i32.add (local.get $x) (i32.mul (local.get $n) (i32.const 24))) (i32.const 16)))
          (local.set $w_at_1 (i32.add (local.get $w) (i32.const 16)))
          ;; i_1 in 4..6
          (local.set $i_1 (i32.const 4))
          (loop $i_1
            (local.set $total
              (f32.add
                (local.get $total)
                (f32.mul (f32.mul (f32.load (local.get $x_at_1)) (f32.load (local.get $w_at_1))) (f32.const 2))))
            (local.set $x_at_1 (i32.add (local.get $x_at_1) (i32.const 4)))
            (local.set $w_at_1 (i32.add (local.get $w_at_1) (i32.const 4)))
            (local.set $i_1 (i32.add (local.get $i_1) (i32.const 1)))
            (br_if $i_1 (i32.lt_s (local.get $i_1) (i32.const 6))))
          (f32.store
            (i32.add (local.get $y) (i32.mul (local.get $n) (i32.const 4)))
            (select (f32.const 0) (local.get $total) (f32.lt (local.get $total) (f32.const 0))))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $n (i32.lt_s (local.get $n) (local.get $N))))))))
