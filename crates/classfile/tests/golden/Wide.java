// Methods with 255, 256, 260 and more slots of locals, of one and of two slots: what wide is for.
package golden;

public class Wide {
    public static void main(String[] arguments) {
        for (int n = 0; n < 3; n++) {
            try {
                System.out.println(locals255(n) + " " + locals256(n) + " " + locals260(n) + " " + longs(n));
            } catch (ArithmeticException expected) {
                System.out.println(expected.getMessage());
            }
        }
    }

    static long locals255(int n) {
        int v0 = 0 + n; int v1 = 1 + n; int v2 = 2 + n; int v3 = 3 + n; int v4 = 4 + n; int v5 = 5 + n;
        int v6 = 6 + n; int v7 = 7 + n; int v8 = 8 + n; int v9 = 9 + n; int v10 = 10 + n; int v11 = 11 + n;
        int v12 = 12 + n; int v13 = 13 + n; int v14 = 14 + n; int v15 = 15 + n; int v16 = 16 + n;
        int v17 = 17 + n; int v18 = 18 + n; int v19 = 19 + n; int v20 = 20 + n; int v21 = 21 + n;
        int v22 = 22 + n; int v23 = 23 + n; int v24 = 24 + n; int v25 = 25 + n; int v26 = 26 + n;
        int v27 = 27 + n; int v28 = 28 + n; int v29 = 29 + n; int v30 = 30 + n; int v31 = 31 + n;
        int v32 = 32 + n; int v33 = 33 + n; int v34 = 34 + n; int v35 = 35 + n; int v36 = 36 + n;
        int v37 = 37 + n; int v38 = 38 + n; int v39 = 39 + n; int v40 = 40 + n; int v41 = 41 + n;
        int v42 = 42 + n; int v43 = 43 + n; int v44 = 44 + n; int v45 = 45 + n; int v46 = 46 + n;
        int v47 = 47 + n; int v48 = 48 + n; int v49 = 49 + n; int v50 = 50 + n; int v51 = 51 + n;
        int v52 = 52 + n; int v53 = 53 + n; int v54 = 54 + n; int v55 = 55 + n; int v56 = 56 + n;
        int v57 = 57 + n; int v58 = 58 + n; int v59 = 59 + n; int v60 = 60 + n; int v61 = 61 + n;
        int v62 = 62 + n; int v63 = 63 + n; int v64 = 64 + n; int v65 = 65 + n; int v66 = 66 + n;
        int v67 = 67 + n; int v68 = 68 + n; int v69 = 69 + n; int v70 = 70 + n; int v71 = 71 + n;
        int v72 = 72 + n; int v73 = 73 + n; int v74 = 74 + n; int v75 = 75 + n; int v76 = 76 + n;
        int v77 = 77 + n; int v78 = 78 + n; int v79 = 79 + n; int v80 = 80 + n; int v81 = 81 + n;
        int v82 = 82 + n; int v83 = 83 + n; int v84 = 84 + n; int v85 = 85 + n; int v86 = 86 + n;
        int v87 = 87 + n; int v88 = 88 + n; int v89 = 89 + n; int v90 = 90 + n; int v91 = 91 + n;
        int v92 = 92 + n; int v93 = 93 + n; int v94 = 94 + n; int v95 = 95 + n; int v96 = 96 + n;
        int v97 = 97 + n; int v98 = 98 + n; int v99 = 99 + n; int v100 = 100 + n; int v101 = 101 + n;
        int v102 = 102 + n; int v103 = 103 + n; int v104 = 104 + n; int v105 = 105 + n; int v106 = 106 + n;
        int v107 = 107 + n; int v108 = 108 + n; int v109 = 109 + n; int v110 = 110 + n; int v111 = 111 + n;
        int v112 = 112 + n; int v113 = 113 + n; int v114 = 114 + n; int v115 = 115 + n; int v116 = 116 + n;
        int v117 = 117 + n; int v118 = 118 + n; int v119 = 119 + n; int v120 = 120 + n; int v121 = 121 + n;
        int v122 = 122 + n; int v123 = 123 + n; int v124 = 124 + n; int v125 = 125 + n; int v126 = 126 + n;
        int v127 = 127 + n; int v128 = 128 + n; int v129 = 129 + n; int v130 = 130 + n; int v131 = 131 + n;
        int v132 = 132 + n; int v133 = 133 + n; int v134 = 134 + n; int v135 = 135 + n; int v136 = 136 + n;
        int v137 = 137 + n; int v138 = 138 + n; int v139 = 139 + n; int v140 = 140 + n; int v141 = 141 + n;
        int v142 = 142 + n; int v143 = 143 + n; int v144 = 144 + n; int v145 = 145 + n; int v146 = 146 + n;
        int v147 = 147 + n; int v148 = 148 + n; int v149 = 149 + n; int v150 = 150 + n; int v151 = 151 + n;
        int v152 = 152 + n; int v153 = 153 + n; int v154 = 154 + n; int v155 = 155 + n; int v156 = 156 + n;
        int v157 = 157 + n; int v158 = 158 + n; int v159 = 159 + n; int v160 = 160 + n; int v161 = 161 + n;
        int v162 = 162 + n; int v163 = 163 + n; int v164 = 164 + n; int v165 = 165 + n; int v166 = 166 + n;
        int v167 = 167 + n; int v168 = 168 + n; int v169 = 169 + n; int v170 = 170 + n; int v171 = 171 + n;
        int v172 = 172 + n; int v173 = 173 + n; int v174 = 174 + n; int v175 = 175 + n; int v176 = 176 + n;
        int v177 = 177 + n; int v178 = 178 + n; int v179 = 179 + n; int v180 = 180 + n; int v181 = 181 + n;
        int v182 = 182 + n; int v183 = 183 + n; int v184 = 184 + n; int v185 = 185 + n; int v186 = 186 + n;
        int v187 = 187 + n; int v188 = 188 + n; int v189 = 189 + n; int v190 = 190 + n; int v191 = 191 + n;
        int v192 = 192 + n; int v193 = 193 + n; int v194 = 194 + n; int v195 = 195 + n; int v196 = 196 + n;
        int v197 = 197 + n; int v198 = 198 + n; int v199 = 199 + n; int v200 = 200 + n; int v201 = 201 + n;
        int v202 = 202 + n; int v203 = 203 + n; int v204 = 204 + n; int v205 = 205 + n; int v206 = 206 + n;
        int v207 = 207 + n; int v208 = 208 + n; int v209 = 209 + n; int v210 = 210 + n; int v211 = 211 + n;
        int v212 = 212 + n; int v213 = 213 + n; int v214 = 214 + n; int v215 = 215 + n; int v216 = 216 + n;
        int v217 = 217 + n; int v218 = 218 + n; int v219 = 219 + n; int v220 = 220 + n; int v221 = 221 + n;
        int v222 = 222 + n; int v223 = 223 + n; int v224 = 224 + n; int v225 = 225 + n; int v226 = 226 + n;
        int v227 = 227 + n; int v228 = 228 + n; int v229 = 229 + n; int v230 = 230 + n; int v231 = 231 + n;
        int v232 = 232 + n; int v233 = 233 + n; int v234 = 234 + n; int v235 = 235 + n; int v236 = 236 + n;
        int v237 = 237 + n; int v238 = 238 + n; int v239 = 239 + n; int v240 = 240 + n; int v241 = 241 + n;
        int v242 = 242 + n; int v243 = 243 + n; int v244 = 244 + n; int v245 = 245 + n; int v246 = 246 + n;
        int v247 = 247 + n; int v248 = 248 + n; int v249 = 249 + n; int v250 = 250 + n; int v251 = 251 + n;
        v251 += 1000;
        v251++;
        for (int i = 0; i < 2; i++) {
            v250 += i / (n - 2);
            if (v249 == n) {
                return -1;
            }
        }
        long sum = 0;
        sum += v0; sum += v1; sum += v2; sum += v3; sum += v4; sum += v5; sum += v6; sum += v7; sum += v8;
        sum += v9; sum += v10; sum += v11; sum += v12; sum += v13; sum += v14; sum += v15; sum += v16;
        sum += v17; sum += v18; sum += v19; sum += v20; sum += v21; sum += v22; sum += v23; sum += v24;
        sum += v25; sum += v26; sum += v27; sum += v28; sum += v29; sum += v30; sum += v31; sum += v32;
        sum += v33; sum += v34; sum += v35; sum += v36; sum += v37; sum += v38; sum += v39; sum += v40;
        sum += v41; sum += v42; sum += v43; sum += v44; sum += v45; sum += v46; sum += v47; sum += v48;
        sum += v49; sum += v50; sum += v51; sum += v52; sum += v53; sum += v54; sum += v55; sum += v56;
        sum += v57; sum += v58; sum += v59; sum += v60; sum += v61; sum += v62; sum += v63; sum += v64;
        sum += v65; sum += v66; sum += v67; sum += v68; sum += v69; sum += v70; sum += v71; sum += v72;
        sum += v73; sum += v74; sum += v75; sum += v76; sum += v77; sum += v78; sum += v79; sum += v80;
        sum += v81; sum += v82; sum += v83; sum += v84; sum += v85; sum += v86; sum += v87; sum += v88;
        sum += v89; sum += v90; sum += v91; sum += v92; sum += v93; sum += v94; sum += v95; sum += v96;
        sum += v97; sum += v98; sum += v99; sum += v100; sum += v101; sum += v102; sum += v103; sum += v104;
        sum += v105; sum += v106; sum += v107; sum += v108; sum += v109; sum += v110; sum += v111;
        sum += v112; sum += v113; sum += v114; sum += v115; sum += v116; sum += v117; sum += v118;
        sum += v119; sum += v120; sum += v121; sum += v122; sum += v123; sum += v124; sum += v125;
        sum += v126; sum += v127; sum += v128; sum += v129; sum += v130; sum += v131; sum += v132;
        sum += v133; sum += v134; sum += v135; sum += v136; sum += v137; sum += v138; sum += v139;
        sum += v140; sum += v141; sum += v142; sum += v143; sum += v144; sum += v145; sum += v146;
        sum += v147; sum += v148; sum += v149; sum += v150; sum += v151; sum += v152; sum += v153;
        sum += v154; sum += v155; sum += v156; sum += v157; sum += v158; sum += v159; sum += v160;
        sum += v161; sum += v162; sum += v163; sum += v164; sum += v165; sum += v166; sum += v167;
        sum += v168; sum += v169; sum += v170; sum += v171; sum += v172; sum += v173; sum += v174;
        sum += v175; sum += v176; sum += v177; sum += v178; sum += v179; sum += v180; sum += v181;
        sum += v182; sum += v183; sum += v184; sum += v185; sum += v186; sum += v187; sum += v188;
        sum += v189; sum += v190; sum += v191; sum += v192; sum += v193; sum += v194; sum += v195;
        sum += v196; sum += v197; sum += v198; sum += v199; sum += v200; sum += v201; sum += v202;
        sum += v203; sum += v204; sum += v205; sum += v206; sum += v207; sum += v208; sum += v209;
        sum += v210; sum += v211; sum += v212; sum += v213; sum += v214; sum += v215; sum += v216;
        sum += v217; sum += v218; sum += v219; sum += v220; sum += v221; sum += v222; sum += v223;
        sum += v224; sum += v225; sum += v226; sum += v227; sum += v228; sum += v229; sum += v230;
        sum += v231; sum += v232; sum += v233; sum += v234; sum += v235; sum += v236; sum += v237;
        sum += v238; sum += v239; sum += v240; sum += v241; sum += v242; sum += v243; sum += v244;
        sum += v245; sum += v246; sum += v247; sum += v248; sum += v249; sum += v250; sum += v251;
        return sum;
    }

    static long locals256(int n) {
        int v0 = 0 + n; int v1 = 1 + n; int v2 = 2 + n; int v3 = 3 + n; int v4 = 4 + n; int v5 = 5 + n;
        int v6 = 6 + n; int v7 = 7 + n; int v8 = 8 + n; int v9 = 9 + n; int v10 = 10 + n; int v11 = 11 + n;
        int v12 = 12 + n; int v13 = 13 + n; int v14 = 14 + n; int v15 = 15 + n; int v16 = 16 + n;
        int v17 = 17 + n; int v18 = 18 + n; int v19 = 19 + n; int v20 = 20 + n; int v21 = 21 + n;
        int v22 = 22 + n; int v23 = 23 + n; int v24 = 24 + n; int v25 = 25 + n; int v26 = 26 + n;
        int v27 = 27 + n; int v28 = 28 + n; int v29 = 29 + n; int v30 = 30 + n; int v31 = 31 + n;
        int v32 = 32 + n; int v33 = 33 + n; int v34 = 34 + n; int v35 = 35 + n; int v36 = 36 + n;
        int v37 = 37 + n; int v38 = 38 + n; int v39 = 39 + n; int v40 = 40 + n; int v41 = 41 + n;
        int v42 = 42 + n; int v43 = 43 + n; int v44 = 44 + n; int v45 = 45 + n; int v46 = 46 + n;
        int v47 = 47 + n; int v48 = 48 + n; int v49 = 49 + n; int v50 = 50 + n; int v51 = 51 + n;
        int v52 = 52 + n; int v53 = 53 + n; int v54 = 54 + n; int v55 = 55 + n; int v56 = 56 + n;
        int v57 = 57 + n; int v58 = 58 + n; int v59 = 59 + n; int v60 = 60 + n; int v61 = 61 + n;
        int v62 = 62 + n; int v63 = 63 + n; int v64 = 64 + n; int v65 = 65 + n; int v66 = 66 + n;
        int v67 = 67 + n; int v68 = 68 + n; int v69 = 69 + n; int v70 = 70 + n; int v71 = 71 + n;
        int v72 = 72 + n; int v73 = 73 + n; int v74 = 74 + n; int v75 = 75 + n; int v76 = 76 + n;
        int v77 = 77 + n; int v78 = 78 + n; int v79 = 79 + n; int v80 = 80 + n; int v81 = 81 + n;
        int v82 = 82 + n; int v83 = 83 + n; int v84 = 84 + n; int v85 = 85 + n; int v86 = 86 + n;
        int v87 = 87 + n; int v88 = 88 + n; int v89 = 89 + n; int v90 = 90 + n; int v91 = 91 + n;
        int v92 = 92 + n; int v93 = 93 + n; int v94 = 94 + n; int v95 = 95 + n; int v96 = 96 + n;
        int v97 = 97 + n; int v98 = 98 + n; int v99 = 99 + n; int v100 = 100 + n; int v101 = 101 + n;
        int v102 = 102 + n; int v103 = 103 + n; int v104 = 104 + n; int v105 = 105 + n; int v106 = 106 + n;
        int v107 = 107 + n; int v108 = 108 + n; int v109 = 109 + n; int v110 = 110 + n; int v111 = 111 + n;
        int v112 = 112 + n; int v113 = 113 + n; int v114 = 114 + n; int v115 = 115 + n; int v116 = 116 + n;
        int v117 = 117 + n; int v118 = 118 + n; int v119 = 119 + n; int v120 = 120 + n; int v121 = 121 + n;
        int v122 = 122 + n; int v123 = 123 + n; int v124 = 124 + n; int v125 = 125 + n; int v126 = 126 + n;
        int v127 = 127 + n; int v128 = 128 + n; int v129 = 129 + n; int v130 = 130 + n; int v131 = 131 + n;
        int v132 = 132 + n; int v133 = 133 + n; int v134 = 134 + n; int v135 = 135 + n; int v136 = 136 + n;
        int v137 = 137 + n; int v138 = 138 + n; int v139 = 139 + n; int v140 = 140 + n; int v141 = 141 + n;
        int v142 = 142 + n; int v143 = 143 + n; int v144 = 144 + n; int v145 = 145 + n; int v146 = 146 + n;
        int v147 = 147 + n; int v148 = 148 + n; int v149 = 149 + n; int v150 = 150 + n; int v151 = 151 + n;
        int v152 = 152 + n; int v153 = 153 + n; int v154 = 154 + n; int v155 = 155 + n; int v156 = 156 + n;
        int v157 = 157 + n; int v158 = 158 + n; int v159 = 159 + n; int v160 = 160 + n; int v161 = 161 + n;
        int v162 = 162 + n; int v163 = 163 + n; int v164 = 164 + n; int v165 = 165 + n; int v166 = 166 + n;
        int v167 = 167 + n; int v168 = 168 + n; int v169 = 169 + n; int v170 = 170 + n; int v171 = 171 + n;
        int v172 = 172 + n; int v173 = 173 + n; int v174 = 174 + n; int v175 = 175 + n; int v176 = 176 + n;
        int v177 = 177 + n; int v178 = 178 + n; int v179 = 179 + n; int v180 = 180 + n; int v181 = 181 + n;
        int v182 = 182 + n; int v183 = 183 + n; int v184 = 184 + n; int v185 = 185 + n; int v186 = 186 + n;
        int v187 = 187 + n; int v188 = 188 + n; int v189 = 189 + n; int v190 = 190 + n; int v191 = 191 + n;
        int v192 = 192 + n; int v193 = 193 + n; int v194 = 194 + n; int v195 = 195 + n; int v196 = 196 + n;
        int v197 = 197 + n; int v198 = 198 + n; int v199 = 199 + n; int v200 = 200 + n; int v201 = 201 + n;
        int v202 = 202 + n; int v203 = 203 + n; int v204 = 204 + n; int v205 = 205 + n; int v206 = 206 + n;
        int v207 = 207 + n; int v208 = 208 + n; int v209 = 209 + n; int v210 = 210 + n; int v211 = 211 + n;
        int v212 = 212 + n; int v213 = 213 + n; int v214 = 214 + n; int v215 = 215 + n; int v216 = 216 + n;
        int v217 = 217 + n; int v218 = 218 + n; int v219 = 219 + n; int v220 = 220 + n; int v221 = 221 + n;
        int v222 = 222 + n; int v223 = 223 + n; int v224 = 224 + n; int v225 = 225 + n; int v226 = 226 + n;
        int v227 = 227 + n; int v228 = 228 + n; int v229 = 229 + n; int v230 = 230 + n; int v231 = 231 + n;
        int v232 = 232 + n; int v233 = 233 + n; int v234 = 234 + n; int v235 = 235 + n; int v236 = 236 + n;
        int v237 = 237 + n; int v238 = 238 + n; int v239 = 239 + n; int v240 = 240 + n; int v241 = 241 + n;
        int v242 = 242 + n; int v243 = 243 + n; int v244 = 244 + n; int v245 = 245 + n; int v246 = 246 + n;
        int v247 = 247 + n; int v248 = 248 + n; int v249 = 249 + n; int v250 = 250 + n; int v251 = 251 + n;
        int v252 = 252 + n;
        v252 += 1000;
        v252++;
        for (int i = 0; i < 2; i++) {
            v251 += i / (n - 2);
            if (v250 == n) {
                return -1;
            }
        }
        long sum = 0;
        sum += v0; sum += v1; sum += v2; sum += v3; sum += v4; sum += v5; sum += v6; sum += v7; sum += v8;
        sum += v9; sum += v10; sum += v11; sum += v12; sum += v13; sum += v14; sum += v15; sum += v16;
        sum += v17; sum += v18; sum += v19; sum += v20; sum += v21; sum += v22; sum += v23; sum += v24;
        sum += v25; sum += v26; sum += v27; sum += v28; sum += v29; sum += v30; sum += v31; sum += v32;
        sum += v33; sum += v34; sum += v35; sum += v36; sum += v37; sum += v38; sum += v39; sum += v40;
        sum += v41; sum += v42; sum += v43; sum += v44; sum += v45; sum += v46; sum += v47; sum += v48;
        sum += v49; sum += v50; sum += v51; sum += v52; sum += v53; sum += v54; sum += v55; sum += v56;
        sum += v57; sum += v58; sum += v59; sum += v60; sum += v61; sum += v62; sum += v63; sum += v64;
        sum += v65; sum += v66; sum += v67; sum += v68; sum += v69; sum += v70; sum += v71; sum += v72;
        sum += v73; sum += v74; sum += v75; sum += v76; sum += v77; sum += v78; sum += v79; sum += v80;
        sum += v81; sum += v82; sum += v83; sum += v84; sum += v85; sum += v86; sum += v87; sum += v88;
        sum += v89; sum += v90; sum += v91; sum += v92; sum += v93; sum += v94; sum += v95; sum += v96;
        sum += v97; sum += v98; sum += v99; sum += v100; sum += v101; sum += v102; sum += v103; sum += v104;
        sum += v105; sum += v106; sum += v107; sum += v108; sum += v109; sum += v110; sum += v111;
        sum += v112; sum += v113; sum += v114; sum += v115; sum += v116; sum += v117; sum += v118;
        sum += v119; sum += v120; sum += v121; sum += v122; sum += v123; sum += v124; sum += v125;
        sum += v126; sum += v127; sum += v128; sum += v129; sum += v130; sum += v131; sum += v132;
        sum += v133; sum += v134; sum += v135; sum += v136; sum += v137; sum += v138; sum += v139;
        sum += v140; sum += v141; sum += v142; sum += v143; sum += v144; sum += v145; sum += v146;
        sum += v147; sum += v148; sum += v149; sum += v150; sum += v151; sum += v152; sum += v153;
        sum += v154; sum += v155; sum += v156; sum += v157; sum += v158; sum += v159; sum += v160;
        sum += v161; sum += v162; sum += v163; sum += v164; sum += v165; sum += v166; sum += v167;
        sum += v168; sum += v169; sum += v170; sum += v171; sum += v172; sum += v173; sum += v174;
        sum += v175; sum += v176; sum += v177; sum += v178; sum += v179; sum += v180; sum += v181;
        sum += v182; sum += v183; sum += v184; sum += v185; sum += v186; sum += v187; sum += v188;
        sum += v189; sum += v190; sum += v191; sum += v192; sum += v193; sum += v194; sum += v195;
        sum += v196; sum += v197; sum += v198; sum += v199; sum += v200; sum += v201; sum += v202;
        sum += v203; sum += v204; sum += v205; sum += v206; sum += v207; sum += v208; sum += v209;
        sum += v210; sum += v211; sum += v212; sum += v213; sum += v214; sum += v215; sum += v216;
        sum += v217; sum += v218; sum += v219; sum += v220; sum += v221; sum += v222; sum += v223;
        sum += v224; sum += v225; sum += v226; sum += v227; sum += v228; sum += v229; sum += v230;
        sum += v231; sum += v232; sum += v233; sum += v234; sum += v235; sum += v236; sum += v237;
        sum += v238; sum += v239; sum += v240; sum += v241; sum += v242; sum += v243; sum += v244;
        sum += v245; sum += v246; sum += v247; sum += v248; sum += v249; sum += v250; sum += v251;
        sum += v252;
        return sum;
    }

    static long locals260(int n) {
        int v0 = 0 + n; int v1 = 1 + n; String v2 = "s" + n; int v3 = 3 + n; int v4 = 4 + n;
        String v5 = "s" + n; int v6 = 6 + n; int v7 = 7 + n; String v8 = "s" + n; int v9 = 9 + n;
        int v10 = 10 + n; String v11 = "s" + n; int v12 = 12 + n; int v13 = 13 + n; String v14 = "s" + n;
        int v15 = 15 + n; int v16 = 16 + n; String v17 = "s" + n; int v18 = 18 + n; int v19 = 19 + n;
        String v20 = "s" + n; int v21 = 21 + n; int v22 = 22 + n; String v23 = "s" + n; int v24 = 24 + n;
        int v25 = 25 + n; String v26 = "s" + n; int v27 = 27 + n; int v28 = 28 + n; String v29 = "s" + n;
        int v30 = 30 + n; int v31 = 31 + n; String v32 = "s" + n; int v33 = 33 + n; int v34 = 34 + n;
        String v35 = "s" + n; int v36 = 36 + n; int v37 = 37 + n; String v38 = "s" + n; int v39 = 39 + n;
        int v40 = 40 + n; String v41 = "s" + n; int v42 = 42 + n; int v43 = 43 + n; String v44 = "s" + n;
        int v45 = 45 + n; int v46 = 46 + n; String v47 = "s" + n; int v48 = 48 + n; int v49 = 49 + n;
        String v50 = "s" + n; int v51 = 51 + n; int v52 = 52 + n; String v53 = "s" + n; int v54 = 54 + n;
        int v55 = 55 + n; String v56 = "s" + n; int v57 = 57 + n; int v58 = 58 + n; String v59 = "s" + n;
        int v60 = 60 + n; int v61 = 61 + n; String v62 = "s" + n; int v63 = 63 + n; int v64 = 64 + n;
        String v65 = "s" + n; int v66 = 66 + n; int v67 = 67 + n; String v68 = "s" + n; int v69 = 69 + n;
        int v70 = 70 + n; String v71 = "s" + n; int v72 = 72 + n; int v73 = 73 + n; String v74 = "s" + n;
        int v75 = 75 + n; int v76 = 76 + n; String v77 = "s" + n; int v78 = 78 + n; int v79 = 79 + n;
        String v80 = "s" + n; int v81 = 81 + n; int v82 = 82 + n; String v83 = "s" + n; int v84 = 84 + n;
        int v85 = 85 + n; String v86 = "s" + n; int v87 = 87 + n; int v88 = 88 + n; String v89 = "s" + n;
        int v90 = 90 + n; int v91 = 91 + n; String v92 = "s" + n; int v93 = 93 + n; int v94 = 94 + n;
        String v95 = "s" + n; int v96 = 96 + n; int v97 = 97 + n; String v98 = "s" + n; int v99 = 99 + n;
        int v100 = 100 + n; String v101 = "s" + n; int v102 = 102 + n; int v103 = 103 + n;
        String v104 = "s" + n; int v105 = 105 + n; int v106 = 106 + n; String v107 = "s" + n;
        int v108 = 108 + n; int v109 = 109 + n; String v110 = "s" + n; int v111 = 111 + n;
        int v112 = 112 + n; String v113 = "s" + n; int v114 = 114 + n; int v115 = 115 + n;
        String v116 = "s" + n; int v117 = 117 + n; int v118 = 118 + n; String v119 = "s" + n;
        int v120 = 120 + n; int v121 = 121 + n; String v122 = "s" + n; int v123 = 123 + n;
        int v124 = 124 + n; String v125 = "s" + n; int v126 = 126 + n; int v127 = 127 + n;
        String v128 = "s" + n; int v129 = 129 + n; int v130 = 130 + n; String v131 = "s" + n;
        int v132 = 132 + n; int v133 = 133 + n; String v134 = "s" + n; int v135 = 135 + n;
        int v136 = 136 + n; String v137 = "s" + n; int v138 = 138 + n; int v139 = 139 + n;
        String v140 = "s" + n; int v141 = 141 + n; int v142 = 142 + n; String v143 = "s" + n;
        int v144 = 144 + n; int v145 = 145 + n; String v146 = "s" + n; int v147 = 147 + n;
        int v148 = 148 + n; String v149 = "s" + n; int v150 = 150 + n; int v151 = 151 + n;
        String v152 = "s" + n; int v153 = 153 + n; int v154 = 154 + n; String v155 = "s" + n;
        int v156 = 156 + n; int v157 = 157 + n; String v158 = "s" + n; int v159 = 159 + n;
        int v160 = 160 + n; String v161 = "s" + n; int v162 = 162 + n; int v163 = 163 + n;
        String v164 = "s" + n; int v165 = 165 + n; int v166 = 166 + n; String v167 = "s" + n;
        int v168 = 168 + n; int v169 = 169 + n; String v170 = "s" + n; int v171 = 171 + n;
        int v172 = 172 + n; String v173 = "s" + n; int v174 = 174 + n; int v175 = 175 + n;
        String v176 = "s" + n; int v177 = 177 + n; int v178 = 178 + n; String v179 = "s" + n;
        int v180 = 180 + n; int v181 = 181 + n; String v182 = "s" + n; int v183 = 183 + n;
        int v184 = 184 + n; String v185 = "s" + n; int v186 = 186 + n; int v187 = 187 + n;
        String v188 = "s" + n; int v189 = 189 + n; int v190 = 190 + n; String v191 = "s" + n;
        int v192 = 192 + n; int v193 = 193 + n; String v194 = "s" + n; int v195 = 195 + n;
        int v196 = 196 + n; String v197 = "s" + n; int v198 = 198 + n; int v199 = 199 + n;
        String v200 = "s" + n; int v201 = 201 + n; int v202 = 202 + n; String v203 = "s" + n;
        int v204 = 204 + n; int v205 = 205 + n; String v206 = "s" + n; int v207 = 207 + n;
        int v208 = 208 + n; String v209 = "s" + n; int v210 = 210 + n; int v211 = 211 + n;
        String v212 = "s" + n; int v213 = 213 + n; int v214 = 214 + n; String v215 = "s" + n;
        int v216 = 216 + n; int v217 = 217 + n; String v218 = "s" + n; int v219 = 219 + n;
        int v220 = 220 + n; String v221 = "s" + n; int v222 = 222 + n; int v223 = 223 + n;
        String v224 = "s" + n; int v225 = 225 + n; int v226 = 226 + n; String v227 = "s" + n;
        int v228 = 228 + n; int v229 = 229 + n; String v230 = "s" + n; int v231 = 231 + n;
        int v232 = 232 + n; String v233 = "s" + n; int v234 = 234 + n; int v235 = 235 + n;
        String v236 = "s" + n; int v237 = 237 + n; int v238 = 238 + n; String v239 = "s" + n;
        int v240 = 240 + n; int v241 = 241 + n; String v242 = "s" + n; int v243 = 243 + n;
        int v244 = 244 + n; String v245 = "s" + n; int v246 = 246 + n; int v247 = 247 + n;
        String v248 = "s" + n; int v249 = 249 + n; int v250 = 250 + n; String v251 = "s" + n;
        int v252 = 252 + n; int v253 = 253 + n; String v254 = "s" + n; int v255 = 255 + n;
        int v256 = 256 + n;
        v256 += 1000;
        v256++;
        for (int i = 0; i < 2; i++) {
            v255 += i / (n - 2);
            if (v253 == n) {
                return -1;
            }
        }
        long sum = 0;
        sum += v0; sum += v1; sum += v3; sum += v4; sum += v6; sum += v7; sum += v9; sum += v10; sum += v12;
        sum += v13; sum += v15; sum += v16; sum += v18; sum += v19; sum += v21; sum += v22; sum += v24;
        sum += v25; sum += v27; sum += v28; sum += v30; sum += v31; sum += v33; sum += v34; sum += v36;
        sum += v37; sum += v39; sum += v40; sum += v42; sum += v43; sum += v45; sum += v46; sum += v48;
        sum += v49; sum += v51; sum += v52; sum += v54; sum += v55; sum += v57; sum += v58; sum += v60;
        sum += v61; sum += v63; sum += v64; sum += v66; sum += v67; sum += v69; sum += v70; sum += v72;
        sum += v73; sum += v75; sum += v76; sum += v78; sum += v79; sum += v81; sum += v82; sum += v84;
        sum += v85; sum += v87; sum += v88; sum += v90; sum += v91; sum += v93; sum += v94; sum += v96;
        sum += v97; sum += v99; sum += v100; sum += v102; sum += v103; sum += v105; sum += v106; sum += v108;
        sum += v109; sum += v111; sum += v112; sum += v114; sum += v115; sum += v117; sum += v118;
        sum += v120; sum += v121; sum += v123; sum += v124; sum += v126; sum += v127; sum += v129;
        sum += v130; sum += v132; sum += v133; sum += v135; sum += v136; sum += v138; sum += v139;
        sum += v141; sum += v142; sum += v144; sum += v145; sum += v147; sum += v148; sum += v150;
        sum += v151; sum += v153; sum += v154; sum += v156; sum += v157; sum += v159; sum += v160;
        sum += v162; sum += v163; sum += v165; sum += v166; sum += v168; sum += v169; sum += v171;
        sum += v172; sum += v174; sum += v175; sum += v177; sum += v178; sum += v180; sum += v181;
        sum += v183; sum += v184; sum += v186; sum += v187; sum += v189; sum += v190; sum += v192;
        sum += v193; sum += v195; sum += v196; sum += v198; sum += v199; sum += v201; sum += v202;
        sum += v204; sum += v205; sum += v207; sum += v208; sum += v210; sum += v211; sum += v213;
        sum += v214; sum += v216; sum += v217; sum += v219; sum += v220; sum += v222; sum += v223;
        sum += v225; sum += v226; sum += v228; sum += v229; sum += v231; sum += v232; sum += v234;
        sum += v235; sum += v237; sum += v238; sum += v240; sum += v241; sum += v243; sum += v244;
        sum += v246; sum += v247; sum += v249; sum += v250; sum += v252; sum += v253; sum += v255;
        sum += v256; sum += v2.length(); sum += v5.length(); sum += v8.length(); sum += v11.length();
        sum += v14.length(); sum += v17.length(); sum += v20.length(); sum += v23.length();
        sum += v26.length(); sum += v29.length(); sum += v32.length(); sum += v35.length();
        sum += v38.length(); sum += v41.length(); sum += v44.length(); sum += v47.length();
        sum += v50.length(); sum += v53.length(); sum += v56.length(); sum += v59.length();
        sum += v62.length(); sum += v65.length(); sum += v68.length(); sum += v71.length();
        sum += v74.length(); sum += v77.length(); sum += v80.length(); sum += v83.length();
        sum += v86.length(); sum += v89.length(); sum += v92.length(); sum += v95.length();
        sum += v98.length(); sum += v101.length(); sum += v104.length(); sum += v107.length();
        sum += v110.length(); sum += v113.length(); sum += v116.length(); sum += v119.length();
        sum += v122.length(); sum += v125.length(); sum += v128.length(); sum += v131.length();
        sum += v134.length(); sum += v137.length(); sum += v140.length(); sum += v143.length();
        sum += v146.length(); sum += v149.length(); sum += v152.length(); sum += v155.length();
        sum += v158.length(); sum += v161.length(); sum += v164.length(); sum += v167.length();
        sum += v170.length(); sum += v173.length(); sum += v176.length(); sum += v179.length();
        sum += v182.length(); sum += v185.length(); sum += v188.length(); sum += v191.length();
        sum += v194.length(); sum += v197.length(); sum += v200.length(); sum += v203.length();
        sum += v206.length(); sum += v209.length(); sum += v212.length(); sum += v215.length();
        sum += v218.length(); sum += v221.length(); sum += v224.length(); sum += v227.length();
        sum += v230.length(); sum += v233.length(); sum += v236.length(); sum += v239.length();
        sum += v242.length(); sum += v245.length(); sum += v248.length(); sum += v251.length();
        sum += v254.length();
        return sum;
    }

    static long longs(int n) {
        long v0 = 0L + n; int v1 = 1 + n; double v2 = 2.5 + n; float v3 = 3f + n; long v4 = 4L + n;
        int v5 = 5 + n; double v6 = 6.5 + n; float v7 = 7f + n; long v8 = 8L + n; int v9 = 9 + n;
        double v10 = 10.5 + n; float v11 = 11f + n; long v12 = 12L + n; int v13 = 13 + n;
        double v14 = 14.5 + n; float v15 = 15f + n; long v16 = 16L + n; int v17 = 17 + n;
        double v18 = 18.5 + n; float v19 = 19f + n; long v20 = 20L + n; int v21 = 21 + n;
        double v22 = 22.5 + n; float v23 = 23f + n; long v24 = 24L + n; int v25 = 25 + n;
        double v26 = 26.5 + n; float v27 = 27f + n; long v28 = 28L + n; int v29 = 29 + n;
        double v30 = 30.5 + n; float v31 = 31f + n; long v32 = 32L + n; int v33 = 33 + n;
        double v34 = 34.5 + n; float v35 = 35f + n; long v36 = 36L + n; int v37 = 37 + n;
        double v38 = 38.5 + n; float v39 = 39f + n; long v40 = 40L + n; int v41 = 41 + n;
        double v42 = 42.5 + n; float v43 = 43f + n; long v44 = 44L + n; int v45 = 45 + n;
        double v46 = 46.5 + n; float v47 = 47f + n; long v48 = 48L + n; int v49 = 49 + n;
        double v50 = 50.5 + n; float v51 = 51f + n; long v52 = 52L + n; int v53 = 53 + n;
        double v54 = 54.5 + n; float v55 = 55f + n; long v56 = 56L + n; int v57 = 57 + n;
        double v58 = 58.5 + n; float v59 = 59f + n; long v60 = 60L + n; int v61 = 61 + n;
        double v62 = 62.5 + n; float v63 = 63f + n; long v64 = 64L + n; int v65 = 65 + n;
        double v66 = 66.5 + n; float v67 = 67f + n; long v68 = 68L + n; int v69 = 69 + n;
        double v70 = 70.5 + n; float v71 = 71f + n; long v72 = 72L + n; int v73 = 73 + n;
        double v74 = 74.5 + n; float v75 = 75f + n; long v76 = 76L + n; int v77 = 77 + n;
        double v78 = 78.5 + n; float v79 = 79f + n; long v80 = 80L + n; int v81 = 81 + n;
        double v82 = 82.5 + n; float v83 = 83f + n; long v84 = 84L + n; int v85 = 85 + n;
        double v86 = 86.5 + n; float v87 = 87f + n; long v88 = 88L + n; int v89 = 89 + n;
        double v90 = 90.5 + n; float v91 = 91f + n; long v92 = 92L + n; int v93 = 93 + n;
        double v94 = 94.5 + n; float v95 = 95f + n; long v96 = 96L + n; int v97 = 97 + n;
        double v98 = 98.5 + n; float v99 = 99f + n; long v100 = 100L + n; int v101 = 101 + n;
        double v102 = 102.5 + n; float v103 = 103f + n; long v104 = 104L + n; int v105 = 105 + n;
        double v106 = 106.5 + n; float v107 = 107f + n; long v108 = 108L + n; int v109 = 109 + n;
        double v110 = 110.5 + n; float v111 = 111f + n; long v112 = 112L + n; int v113 = 113 + n;
        double v114 = 114.5 + n; float v115 = 115f + n; long v116 = 116L + n; int v117 = 117 + n;
        double v118 = 118.5 + n; float v119 = 119f + n; long v120 = 120L + n; int v121 = 121 + n;
        double v122 = 122.5 + n; float v123 = 123f + n; long v124 = 124L + n; int v125 = 125 + n;
        double v126 = 126.5 + n; float v127 = 127f + n; long v128 = 128L + n; int v129 = 129 + n;
        double v130 = 130.5 + n; float v131 = 131f + n; long v132 = 132L + n; int v133 = 133 + n;
        double v134 = 134.5 + n; float v135 = 135f + n; long v136 = 136L + n; int v137 = 137 + n;
        double v138 = 138.5 + n; float v139 = 139f + n;
        v137 += 1000;
        v137++;
        for (int i = 0; i < 2; i++) {
            v133 += i / (n - 2);
            if (v129 == n) {
                return -1;
            }
        }
        long sum = 0;
        sum += v0; sum += v1; sum += v2; sum += v3; sum += v4; sum += v5; sum += v6; sum += v7; sum += v8;
        sum += v9; sum += v10; sum += v11; sum += v12; sum += v13; sum += v14; sum += v15; sum += v16;
        sum += v17; sum += v18; sum += v19; sum += v20; sum += v21; sum += v22; sum += v23; sum += v24;
        sum += v25; sum += v26; sum += v27; sum += v28; sum += v29; sum += v30; sum += v31; sum += v32;
        sum += v33; sum += v34; sum += v35; sum += v36; sum += v37; sum += v38; sum += v39; sum += v40;
        sum += v41; sum += v42; sum += v43; sum += v44; sum += v45; sum += v46; sum += v47; sum += v48;
        sum += v49; sum += v50; sum += v51; sum += v52; sum += v53; sum += v54; sum += v55; sum += v56;
        sum += v57; sum += v58; sum += v59; sum += v60; sum += v61; sum += v62; sum += v63; sum += v64;
        sum += v65; sum += v66; sum += v67; sum += v68; sum += v69; sum += v70; sum += v71; sum += v72;
        sum += v73; sum += v74; sum += v75; sum += v76; sum += v77; sum += v78; sum += v79; sum += v80;
        sum += v81; sum += v82; sum += v83; sum += v84; sum += v85; sum += v86; sum += v87; sum += v88;
        sum += v89; sum += v90; sum += v91; sum += v92; sum += v93; sum += v94; sum += v95; sum += v96;
        sum += v97; sum += v98; sum += v99; sum += v100; sum += v101; sum += v102; sum += v103; sum += v104;
        sum += v105; sum += v106; sum += v107; sum += v108; sum += v109; sum += v110; sum += v111;
        sum += v112; sum += v113; sum += v114; sum += v115; sum += v116; sum += v117; sum += v118;
        sum += v119; sum += v120; sum += v121; sum += v122; sum += v123; sum += v124; sum += v125;
        sum += v126; sum += v127; sum += v128; sum += v129; sum += v130; sum += v131; sum += v132;
        sum += v133; sum += v134; sum += v135; sum += v136; sum += v137; sum += v138; sum += v139;
        return sum;
    }
}
