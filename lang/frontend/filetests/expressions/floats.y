// test run
_probe _oneshot {
    double d = 1.0 / 3;
    printf("%.3f\n", d);
    float f = 0.1f;
    printf("%d\n", f == 0.1);
    printf("%d\n", 0.1 + 0.2 == 0.3);
    double z = 0.0;
    printf("%d %d\n", z / z == z / z, z / z != z / z);
    printf("%d\n", 1 / z > 1e308);
    printf("%.2f\n", -d);
}
//> 0.333
//> 0
//> 0
//> 0 1
//> 1
//> -0.33
