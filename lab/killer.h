/*
 * lab/killer.h: how the program lab-killer is told what to do, and what it leaves behind.
 *
 * lab-killer stands where a charm's `dispatch` is and runs the real program under ptrace. In one run, at one *point*, it
 * kills it with SIGKILL, and then itself. Points are system calls of the program, so it needs no help from the program:
 *
 *     tool   before   a hook tool is started        after   it has ended
 *     rest   before   a request is sent             after   bytes of an answer have come
 *     kafka  before   the client's threads send     after   bytes have come
 *     file   before   a file is opened for writing, written, renamed, removed
 *     file   after    it has been renamed
 *     end    before   the program exits
 *
 * Its folder is the one that its link `dispatch` points into. There lie
 *
 *     plan     "PROGRAM\nRUN LANE NUMBER\n": what it runs; where it kills (RUN from 1; 0: nowhere)
 *     runs     one byte a run that has begun
 *     points   "RUN LANE NUMBER KIND WHEN\n" for each point that it came by
 *     struck   is there when it has killed
 *
 * Lane `m` is the program's main thread, lane `k` all its other threads (librdkafka's): each counts from 1, since nobody
 * orders threads.
 */
#ifndef LAB_KILLER_H
#define LAB_KILLER_H

#define LAB_KILLER_PLAN "plan"
#define LAB_KILLER_RUNS "runs"
#define LAB_KILLER_POINTS "points"
#define LAB_KILLER_STRUCK "struck"

#endif
